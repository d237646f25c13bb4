//! The Redis server misbehaves. What the application sees, and that all is
//! well again without help.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx::{Event, ReauthErrorKind, ReauthPolicy};
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, KEY, Load, Seen, patient};

const fn not_taken(kind: ReauthErrorKind) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == kind)
}

fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

/// What was counted is what was acknowledged, give or take the INCRs whose
/// replies were lost.
async fn assert_counted(connection: &AuthConnection, seen: &Seen) {
    let counted: u64 = connection.clone().get(KEY).await.expect("a count");
    let bounds = seen.acknowledged..=seen.acknowledged + seen.failed;
    assert!(bounds.contains(&counted), "{counted}: {seen:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_once_is_not_noticed() {
    let bed = Bed::builder().start().await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator.redis().refuse_next_auths(1);
    bed.rotate(1).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    // And renewal goes on, for longer than the first token lives.
    bed.rotate(3).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().auths_refused(), 1);
    assert_eq!(bed.count(not_taken(ReauthErrorKind::Refused)), 1);
    assert_eq!(replacements(&bed), 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// The server stalls for 2 s: commands wait along with the AUTH.
#[tokio::test(flavor = "multi_thread")]
async fn auth_delayed_by_two_seconds_delays_commands_and_fails_none() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(2));
    bed.turn().await;
    let slow = |event: &Event| matches!(event, Event::Reauthenticated { latency, .. } if *latency >= Duration::from_secs(2));
    bed.until("the AUTH is answered", |bed| bed.count(slow) >= 1)
        .await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(replacements(&bed), 0);
    assert_eq!(bed.count(slow), 1);
    assert_counted(&connection, &seen).await;
}

/// The server stalls for longer than the token lives: the commands that wait
/// for it time out, the connection is replaced, and the others go on there.
#[tokio::test(flavor = "multi_thread")]
async fn auth_that_hangs_past_the_expiry_leads_to_a_new_connection() {
    // Replaced after 1.5 s, long before it expires, or it would be lost instead.
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .reauth(ReauthPolicy::builder().replace_after(0.025))
        .start()
        .await;
    // redis-rs's own limit for a reply.
    let config = patient().set_response_timeout(Some(Duration::from_millis(500)));
    let connection = bed.client.multiplexed_with_config(config).await.unwrap();
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(120));
    bed.turn().await;
    bed.until("it is replaced", |bed| replacements(bed) >= 1)
        .await;
    assert_eq!(replacements(&bed), 1);
    let before = load.seen();
    bed.until("commands are answered", |_| {
        load.seen().acknowledged > before.acknowledged
    })
    .await;
    bed.turn().await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert!(
        seen.errors.iter().all(|error| error.contains("timed out")),
        "{:?}",
        seen.errors
    );
}

/// Every token issued so far is revoked: new connections and reconnects are
/// refused until the manager, asked for it, has fetched a fresh one.
#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_until_a_fresh_token_fetches_one() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let connection = bed.waiting().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator.redis().refuse_auth_until_fresh_token();

    // A new connection meets it …
    let other = bed.multiplexed().await;
    bed.until("the manager was asked", |bed| bed.rotations() >= 1)
        .await;
    assert_eq!(bed.rotations(), 1, "long before the token's time");
    assert!(bed.emulator.redis().auths_refused() >= 1);

    // … and so does a live one that has to reconnect, before the next.
    bed.settled(&[connection.clone(), other]).await;
    bed.emulator.redis().refuse_auth_until_fresh_token();
    bed.emulator.redis().drop_connections();
    bed.until("the manager was asked once more", |bed| {
        bed.rotations() == 2
    })
    .await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let before = load.seen();
    bed.until("commands are answered", |_| {
        load.seen().acknowledged > before.acknowledged
    })
    .await;
    let seen = load.stop().await;
    assert_counted(&connection, &seen).await;
}

/// Commands under way fail; those after them wait for the new connection.
#[tokio::test(flavor = "multi_thread")]
async fn dropped_connections_cost_the_commands_under_way_and_no_more() {
    const TASKS: usize = 8;
    let bed = Bed::builder().start().await;
    let connection = bed.waiting().await;
    let load = Load::start(std::slice::from_ref(&connection), TASKS);
    for _ in 0..3 {
        bed.rotate(1).await;
        bed.settled(std::slice::from_ref(&connection)).await;
        let before = replacements(&bed);
        bed.emulator.redis().drop_connections();
        bed.until("it is replaced", |bed| replacements(bed) > before)
            .await;
    }
    let before = load.seen();
    bed.until("commands are answered", |_| {
        load.seen().acknowledged > before.acknowledged
    })
    .await;
    let seen = load.stop().await;
    assert!((1..=3 * TASKS as u64).contains(&seen.failed), "{seen:?}");
    assert_counted(&connection, &seen).await;
}

/// The same for a connection whose commands don't wait.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_multiplexed_connection_is_back_by_itself() {
    let bed = Bed::builder().start().await;
    let mut connection = bed.multiplexed().await;
    // Not before the next command.
    bed.emulator.redis().refuse_connections(true);
    bed.drop_connections().await;
    let error = connection.get::<_, Option<u64>>(KEY).await.unwrap_err();
    assert!(error.is_connection_dropped(), "{error}");
    bed.emulator.redis().refuse_connections(false);
    bed.until("it is replaced", |bed| replacements(bed) >= 1)
        .await;
    let () = connection.set(KEY, 7).await.unwrap();
    bed.rotate(1).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 7);
}

/// The case that poisons redis-rs's own `ConnectionManager` for good.
#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_during_a_reconnect_heals() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .start()
        .await;
    let mut connection = bed.waiting().await;
    bed.emulator.redis().refuse_next_auths(4);
    bed.emulator.redis().drop_connections();
    // It fails, or waits where the loss is seen before it is sent.
    let _ = connection.get::<_, Option<u64>>(KEY).await;
    bed.until("it is replaced", |bed| replacements(bed) == 1)
        .await;
    assert_eq!(bed.emulator.redis().auths_refused(), 4);
    for value in 0..100 {
        let () = connection.set(KEY, value).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_reconnected_to() {
    let bed = Bed::builder().start().await;
    let connections = [bed.waiting().await, bed.multiplexed().await];
    let load = Load::start(&connections, 8);
    bed.rotate(1).await;
    bed.emulator.redis().restart_server().await.unwrap();
    bed.until("both are replaced", |bed| replacements(bed) >= 2)
        .await;
    bed.settled(&connections).await;
    // Every task has had its turn on a new connection.
    let start = load.seen();
    bed.until("commands are answered", |_| {
        load.seen().acknowledged > start.acknowledged + 200
    })
    .await;
    let before = load.seen();
    bed.rotate(3).await;
    bed.settled(&connections).await;
    let seen = load.stop().await;
    assert!(seen.acknowledged > before.acknowledged);
    assert_eq!(seen.failed, before.failed, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
