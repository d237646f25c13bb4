//! Three clocks take part: this machine's, the identity service's and that of
//! Redis. What holds when one of them is wrong, and what can't.
//!
//! The emulator's Redis goes by the true time, as does `redis-authx-entraid`
//! in a process of its own; `token_endpoint/lifetime.rs` there has the tests
//! with a wrong one.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx::{Event, ManagerState, ReauthErrorKind};
use redis_authx_suites::{Bed, Load, WrongClock, patient};

const HOUR: i64 = 3600;

fn stepped(event: &Event) -> bool {
    matches!(event, Event::ClockStepped { .. })
}

fn refused(event: &Event) -> bool {
    matches!(event, Event::ReauthFailed { error, .. } if error.kind() == ReauthErrorKind::Refused)
}

/// Rotations under load: nothing fails, and no session reaches its end.
async fn is_not_noticed(bed: &Bed, rotations: usize) {
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.rotate(rotations).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert!(seen.acknowledged > 0);
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().auths_refused(), 0);
    assert_eq!(bed.manager.status().state, ManagerState::Valid);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_that_is_an_hour_off_is_not_noticed() {
    let off_by = async |millis| {
        let clock = WrongClock::off_by(millis);
        let bed = Bed::builder().outlived().clock(&clock).start().await;
        is_not_noticed(&bed, 6).await;
        assert_eq!(bed.count(stepped), 0);
    };
    tokio::join!(off_by(1000 * HOUR), off_by(-1000 * HOUR));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_whose_clock_is_slewed_is_not_noticed() {
    let clock = WrongClock::default();
    let bed = Bed::builder().outlived().clock(&clock).start().await;
    let slewed = tokio::spawn(async move {
        for millis in [300, 100, -200, -400, 0].into_iter().cycle() {
            clock.set(millis);
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    is_not_noticed(&bed, 6).await;
    slewed.abort();
    assert_eq!(bed.count(stepped), 0);
}

/// Its tokens end a second sooner than they say, for Redis.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_service_a_second_behind_is_not_noticed() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(16))
        .ratio(0.25)
        .start_with(|emulator| emulator.identity().set_clock_skew(-1))
        .await;
    is_not_noticed(&bed, 3).await;
}

/// Its tokens log in a second after they came, at the latest: until then Redis
/// refuses them, and the connection lives on the one before.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_service_a_second_ahead_costs_some_tries_and_no_command() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(16))
        .ratio(0.25)
        .start()
        .await;
    let connection = bed.multiplexed().await;
    bed.emulator.identity().set_clock_skew(1);
    let load = Load::start(std::slice::from_ref(&connection), 8);
    // A token that is used a second after it came is taken at once.
    for turn in 0..10 {
        if turn >= 2 && bed.count(refused) > 0 {
            break;
        }
        bed.rotate(1).await;
        bed.settled(std::slice::from_ref(&connection)).await;
    }
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().connections_accepted(), 1, "replaced");
    // The log is told why.
    assert!(bed.count(refused) > 0, "{:#?}", bed.events());
}

/// No token of such a service can log in, and that is what callers are told.
/// Nobody storms it for others.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_service_an_hour_off_is_told_and_mended_by_its_clock() {
    for skew in [HOUR, -HOUR] {
        let bed = Bed::builder()
            .lifetime(Duration::from_secs(60))
            .start_with(|emulator| emulator.identity().set_clock_skew(skew))
            .await;
        let opened = bed.client.multiplexed_with_config(patient()).await;
        assert_eq!(
            opened.unwrap_err().kind(),
            redis::ErrorKind::AuthenticationFailed,
            "{skew}"
        );
        assert_eq!(bed.manager.status().state, ManagerState::Valid);
        assert_eq!(bed.emulator.identity().token_requests(), 2, "{skew}");
        // Its clock is set right: the next log-in asks for a fresh token.
        bed.emulator.identity().set_clock_skew(0);
        let mut connection = bed.multiplexed().await;
        let () = connection.set("key", "value").await.unwrap();
        assert_eq!(bed.emulator.identity().token_requests(), 3, "{skew}");
    }
}

/// Redis ends each session long before this machine can know, and a command
/// that is under way fails. The connection comes back by itself each time, with
/// a token that it had to ask for.
#[tokio::test(flavor = "multi_thread")]
async fn an_identity_service_an_hour_behind_ends_sessions_early_and_each_is_replaced() {
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(3600 + 3))
        .start_with(|emulator| emulator.identity().set_clock_skew(-HOUR))
        .await;
    let connection = bed.waiting().await;
    let load = Load::start(std::slice::from_ref(&connection), 1);
    for generation in 2..=3 {
        bed.until("the session has ended and is replaced", |_| {
            connection.status().generation >= generation
        })
        .await;
        let before = load.seen();
        bed.until("commands are answered", |_| {
            load.seen().acknowledged > before.acknowledged
        })
        .await;
        // One task, so one command at most at each end.
        let failed = load.seen().failed;
        let ended = bed.emulator.redis().closed_by_expiry();
        assert!(ended >= generation - 1);
        assert!(failed <= ended, "{failed} of {ended}");
    }
    // Each token was asked for because a session had ended, none was due.
    let requests = bed.emulator.identity().token_requests();
    assert!(bed.rotations() >= 2);
    assert!(requests <= 1 + bed.emulator.redis().closed_by_expiry());
    drop(load.stop().await);
}

/// The identity service's clock makes the first token end for Redis 80 s before this
/// machine expects it; then this machine's wall clock goes ahead by as much. That is
/// what a suspend of 80 s looks like.
#[tokio::test(flavor = "multi_thread")]
async fn after_a_suspend_a_hundred_connections_are_re_authenticated_in_the_time_left() {
    let clock = WrongClock::default();
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(120))
        .ratio(0.9)
        .clock(&clock)
        .start_with(|emulator| emulator.identity().set_clock_skew(-80))
        .await;
    let mut connections = Vec::new();
    for _ in 0..100 {
        connections.push(bed.multiplexed().await);
    }
    bed.emulator.identity().set_clock_skew(0);
    clock.set(80_000);
    // One use of one connection.
    let () = connections[0].set("key", "value").await.unwrap();
    bed.until("all have taken a new token", |_| {
        connections
            .iter()
            .all(|connection| connection.status().generation == 2)
    })
    .await;
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().connections_accepted(), 100, "replaced");
    assert_eq!(bed.count(stepped), 1);
}
