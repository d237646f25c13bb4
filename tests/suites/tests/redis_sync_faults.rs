//! The Redis server misbehaves, and connections are sync.

use std::time::Duration;

use redis::{Commands, ConnectionLike, ErrorKind, RedisResult, cmd};
use redis_authx::{Event, ReauthErrorKind, ReauthPolicy};
use redis_authx_emulator::Fault;
use redis_authx_redis::{AuthClient, AuthSyncConnection};
use redis_authx_suites::{Bed, KEY, Threaded, WrongClock, blocking};

fn count(_: usize, connection: &mut AuthSyncConnection) -> RedisResult<()> {
    connection.incr(KEY, 1)
}

fn replacements(bed: &Bed) -> usize {
    bed.count(|event| matches!(event, Event::Replaced { .. }))
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_refused_once_is_not_noticed() {
    let bed = Bed::builder().start().await;
    let load = Threaded::start(&bed.client, 1, count).await;
    bed.emulator.redis().refuse_next_auths(1);
    bed.rotate(4).await;
    let worked = load.stop().await;
    bed.sync_settled(&worked.connections).await;
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
    let refused = |event: &Event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == ReauthErrorKind::Refused);
    assert_eq!(bed.count(refused), 1);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(replacements(&bed), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn auth_delayed_delays_commands_and_fails_none() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .reauth(ReauthPolicy::builder().stagger(0.0))
        .start()
        .await;
    let load = Threaded::start(&bed.client, 2, count).await;
    bed.emulator
        .redis()
        .delay_next_auths(2, Duration::from_secs(1));
    bed.turn().await;
    let slow = |event: &Event| matches!(event, Event::Reauthenticated { latency, .. } if *latency >= Duration::from_secs(1));
    bed.until("both have waited", |bed| bed.count(slow) == 2)
        .await;
    let worked = load.stop().await;
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
    assert_eq!(replacements(&bed), 0);
}

/// The command that waits for the AUTH goes on with the new connection.
#[tokio::test(flavor = "multi_thread")]
async fn auth_that_hangs_leads_to_a_new_connection_and_fails_nothing() {
    // Replaced after 1.5 s, long before it expires, or it would be lost instead.
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .reauth(ReauthPolicy::builder().replace_after(0.025))
        .start()
        .await;
    let load = Threaded::start(&bed.client, 1, count).await;
    bed.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(120));
    bed.turn().await;
    bed.until("it is replaced", |bed| replacements(bed) == 1)
        .await;
    let before = load.done();
    bed.until("commands are answered", |_| load.done() > before)
        .await;
    let worked = load.stop().await;
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
}

/// The limit for one AUTH is the policy's, and then the connection is given
/// up: no thread waits for the server any longer.
#[tokio::test(flavor = "multi_thread")]
async fn auth_that_hangs_is_cut_off_by_the_policy() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let policy = ReauthPolicy::builder().auth_timeout(Duration::from_millis(200));
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(policy.build().unwrap())
        .build()
        .unwrap();
    let load = Threaded::start(&client, 1, count).await;
    bed.emulator
        .redis()
        .delay_next_auths(1, Duration::from_secs(600));
    bed.manager.refresh();
    bed.until("it is replaced", |bed| replacements(bed) == 1)
        .await;
    let before = load.done();
    bed.until("commands are answered", |_| load.done() > before)
        .await;
    let worked = load.stop().await;
    assert!(worked.errors.is_empty(), "{:?}", worked.errors);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_token_leads_to_a_fresh_one() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let live = bed.sync().await;
    bed.emulator.redis().refuse_auth_until_fresh_token();
    // A new connection meets it …
    let both = [live, bed.sync().await];
    bed.until("the manager was asked", |bed| bed.rotations() >= 1)
        .await;
    assert_eq!(bed.rotations(), 1);
    // An AUTH still to come would find the loss out before the command does.
    bed.sync_settled(&both).await;
    let [mut live, _] = both;
    // … and so does one that has to reconnect.
    bed.emulator.redis().refuse_auth_until_fresh_token();
    bed.hang_up().await;
    blocking(move || {
        assert!(live.get::<_, Option<u64>>(KEY).is_err());
        while live.get::<_, Option<u64>>(KEY).is_err() {}
    })
    .await;
    bed.until("it was asked once more", |bed| bed.rotations() >= 2)
        .await;
    assert_eq!(bed.rotations(), 2);
}

/// The command that finds it out fails; the next waits for the replacement.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_costs_one_command() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = bed.sync().await;
    for round in 1..=3 {
        bed.hang_up().await;
        connection = blocking(move || {
            assert!(connection.is_open());
            let lost = connection.get::<_, Option<u64>>(KEY).unwrap_err();
            assert!(lost.is_connection_dropped(), "{lost}");
            connection.set::<_, _, ()>(KEY, round).unwrap();
            assert_eq!(connection.get::<_, usize>(KEY).unwrap(), round);
            connection
        })
        .await;
        bed.until("it is replaced", |bed| replacements(bed) == round)
            .await;
    }
}

/// Commands that wait, and those that don't.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_gone_is_told_of_in_time() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reconnect_wait(Duration::from_millis(50))
        .build()
        .unwrap();
    let mut connection = blocking(move || client.connection().unwrap()).await;
    bed.emulator.redis().refuse_connections(true);
    bed.hang_up().await;
    let mut connection = blocking(move || {
        assert!(connection.get::<_, Option<u64>>(KEY).is_err());
        let told = connection.get::<_, Option<u64>>(KEY).unwrap_err();
        assert!(told.is_connection_dropped(), "{told}");
        assert!(told.to_string().contains("was lost"), "{told}");
        assert!(!connection.is_open());
        connection
    })
    .await;
    bed.emulator.redis().refuse_connections(false);
    blocking(move || while connection.set::<_, _, ()>(KEY, 1).is_err() {}).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_server_is_reconnected_to() {
    let bed = Bed::builder().start().await;
    let load = Threaded::start(&bed.client, 4, count).await;
    bed.rotate(1).await;
    bed.emulator.redis().restart_server().await.unwrap();
    bed.until("all are replaced", |bed| replacements(bed) >= 4)
        .await;
    let before = load.done();
    bed.until("commands are answered", |_| load.done() > before + 100)
        .await;
    bed.rotate(3).await;
    let worked = load.stop().await;
    bed.sync_settled(&worked.connections).await;
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

/// `RESET` logs out: one command fails, the next has a new connection.
#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_logged_out_is_replaced() {
    for bed in [Bed::builder(), Bed::builder().resp3()] {
        let bed = bed.lifetime(Duration::from_secs(600)).start().await;
        let mut connection = bed.sync().await;
        blocking(move || {
            cmd("RESET").exec(&mut connection).unwrap();
            let out = connection.set::<_, _, ()>(KEY, 1).unwrap_err();
            assert_eq!(out.code(), Some("NOAUTH"), "{out}");
            connection.set::<_, _, ()>(KEY, 2).unwrap();
        })
        .await;
        bed.until("it is reported", |bed| replacements(bed) >= 1)
            .await;
        assert_eq!(replacements(&bed), 1);
    }
}

/// What a replacement takes over.
#[tokio::test(flavor = "multi_thread")]
async fn a_replacement_has_the_database_and_the_limits() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let url = format!("{}/3", bed.emulator.redis_url().trim_end_matches('/'));
    let client = AuthClient::open(url, bed.manager.credentials()).unwrap();
    let mut connection = blocking(move || client.connection().unwrap()).await;
    assert_eq!(connection.get_db(), 3);
    assert!(connection.set_read_timeout(Some(Duration::ZERO)).is_err());
    connection
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    connection
        .set_write_timeout(Some(Duration::from_secs(60)))
        .unwrap();
    bed.hang_up().await;
    blocking(move || {
        assert!(connection.get::<_, Option<u64>>(KEY).is_err());
        let mut info = || cmd("CLIENT").arg("INFO").query::<String>(&mut connection);
        while !info().is_ok_and(|info| info.contains(" db=3 ")) {}
        let timed_out = connection.blpop::<_, ()>("none", 30.0).unwrap_err();
        assert!(timed_out.is_timeout(), "{timed_out}");
    })
    .await;
}

/// The machine slept: the session is about to end or has ended, the token in
/// hand is newer, and the background has not woken yet.
#[tokio::test(flavor = "multi_thread")]
async fn a_renewal_that_is_overdue_comes_before_the_command() {
    let clock = WrongClock::default();
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(600))
        .clock(&clock)
        .start()
        .await;
    // The second has its turn after minutes.
    let policy = ReauthPolicy::builder().stagger(1.0).replace_after(1.0);
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .reauth_policy(policy.build().unwrap())
        .build()
        .unwrap();
    let (first, mut second) =
        blocking(move || (client.connection().unwrap(), client.connection().unwrap())).await;
    bed.turn().await;
    bed.sync_settled(&[first]).await;
    let auths = bed.emulator.redis().auths();
    let mut second = blocking(move || {
        second.set::<_, _, ()>(KEY, 1).unwrap();
        second
    })
    .await;
    assert_eq!(bed.emulator.redis().auths(), auths, "not yet");
    clock.set(550_000);
    blocking(move || {
        second.set::<_, _, ()>(KEY, 2).unwrap();
        second.set::<_, _, ()>(KEY, 3).unwrap();
    })
    .await;
    assert_eq!(bed.emulator.redis().auths(), auths + 1);
    assert_eq!(bed.emulator.redis().connections_accepted(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_the_error_says_why() {
    let bed = Bed::builder()
        .request_timeout(Duration::from_secs(600))
        .start_with(|emulator| emulator.identity().set_fault(Some(Fault::Hang)))
        .await;
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .login_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = blocking(move || client.connection().unwrap_err()).await;
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{error}");
    assert_eq!(bed.emulator.redis().connections_accepted(), 0);
    bed.emulator.identity().release_hung();
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_outlive_their_manager_until_their_token_expires() {
    let bed = Bed::builder().start().await;
    let mut connection = bed.sync().await;
    bed.manager.stop();
    bed.until("the token has expired", |bed| {
        bed.emulator.redis().closed_by_expiry() == 1
    })
    .await;
    let client = bed.client.clone();
    blocking(move || {
        let closed = connection.get::<_, u64>(KEY).unwrap_err();
        assert!(closed.is_connection_dropped(), "{closed}");
        let told = connection.get::<_, u64>(KEY).unwrap_err();
        assert_eq!(told.kind(), ErrorKind::AuthenticationFailed, "{told}");
        assert!(told.to_string().contains("stopped"), "{told}");
        assert!(client.connection().is_err());
    })
    .await;
}
