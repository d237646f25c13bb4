//! The identity service misbehaves. What the application sees, and that all
//! is well again without help.

use std::time::Duration;

use redis::AsyncCommands;
use redis_authx::{ErrorKind, Event, ManagerState};
use redis_authx_emulator::Fault;
use redis_authx_suites::{Bed, Load, patient};

const fn failed_as(kind: ErrorKind) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::AttemptFailed { error, .. } if error.kind() == kind)
}

/// For an endpoint that hangs no longer than the first connection's log-in can
/// wait for three requests; a good one must end within it on a busy machine.
const fn time_limit(fault: &Fault) -> Duration {
    Duration::from_secs(match fault {
        Fault::Hang => 3,
        _ => 10,
    })
}

/// The fault hits the next two requests: nobody notices, since the token in
/// hand outlives it.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn is_not_noticed(fault: Fault, kind: ErrorKind) {
    let bed = Bed::builder()
        .calm()
        .request_timeout(time_limit(&fault))
        .start()
        .await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator.identity().fail_next(2, fault);
    bed.rotate(2).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.count(failed_as(kind)), 2, "{:#?}", bed.events());
    assert_eq!(
        bed.count(|event| matches!(event, Event::Recovered { .. })),
        1
    );
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.manager.status().state, ManagerState::Valid);
}

/// The fault hits the very first requests: opening a connection takes longer,
/// and that is all.
#[allow(clippy::unwrap_used)] // the body of several tests
async fn delays_the_first_connection(fault: Fault, kind: ErrorKind) {
    let bed = Bed::builder()
        .request_timeout(time_limit(&fault))
        .start_with(|emulator| emulator.identity().fail_next(2, fault))
        .await;
    let mut connection = bed.multiplexed().await;
    let () = connection.set("key", "value").await.unwrap();
    assert_eq!(bed.count(failed_as(kind)), 2, "{:#?}", bed.events());
}

macro_rules! faults {
    ($($name:ident: $fault:expr => $kind:ident;)*) => {$(
        mod $name {
            use super::*;

            #[tokio::test(flavor = "multi_thread")]
            async fn is_not_noticed_while_a_token_is_held() {
                is_not_noticed($fault, ErrorKind::$kind).await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn delays_the_first_connection() {
                super::delays_the_first_connection($fault, ErrorKind::$kind).await;
            }
        }
    )*};
}

faults! {
    a_hanging_endpoint: Fault::Hang => Timeout;
    a_dropped_connection: Fault::DropConnection => Unavailable;
    a_server_error: Fault::ServerError(503) => Unavailable;
    malformed_json: Fault::Malformed => InvalidResponse;
    an_empty_body: Fault::EmptyBody => InvalidResponse;
    an_oversized_body: Fault::OversizedBody(2 << 20) => InvalidResponse;
    an_expired_token: Fault::ExpiredToken => Expired;
    a_token_without_oid: Fault::MissingOid => InvalidResponse;
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_is_obeyed_and_not_noticed() {
    let wait = Duration::from_secs(1);
    let bed = Bed::builder().calm().start().await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 8);
    bed.emulator
        .identity()
        .fail_next(1, Fault::Throttled { retry_after: wait });
    bed.rotate(2).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.count(failed_as(ErrorKind::Throttled)), 1);
    // The first request, the throttled one, and then not before it may.
    let times = bed.emulator.identity().request_times();
    assert!(times[2] - times[1] >= wait, "{:?}", times[2] - times[1]);
}

/// Longer than the retries, and longer than the token lives.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_longer_than_a_cycle_ends_by_itself() {
    // Seven seconds are left when a cycle is exhausted.
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(10))
        .ratio(0.2)
        .start()
        .await;
    let connections = [bed.multiplexed().await, bed.waiting().await];
    bed.rotate(1).await;
    bed.emulator.identity().set_outage(true);
    let load = Load::start(&connections, 8);

    // While the token lives, nothing fails.
    bed.until("a cycle is exhausted", |bed| {
        bed.count(|event| matches!(event, Event::CycleExhausted { .. })) > 0
    })
    .await;
    let meanwhile = load.seen();
    assert_eq!(bed.manager.status().state, ManagerState::Valid);
    assert_eq!(meanwhile.failed, 0, "{:?}", meanwhile.errors);

    // Then commands fail, and say why.
    bed.until("the token has expired", |bed| {
        bed.manager.status().state == ManagerState::Unavailable
    })
    .await;
    bed.until("it is told why", |_| {
        let seen = load.seen();
        let why = |error: &String| error.contains("the identity service is unavailable");
        seen.errors.iter().any(why)
    })
    .await;

    // The service is back, and so is everything else.
    bed.emulator.identity().set_outage(false);
    bed.settled(&connections).await;
    // Commands that failed before may be counted only now.
    drop(load.stop().await);
    let load = Load::start(&connections, 8);
    bed.until("commands are answered", |_| load.seen().acknowledged > 0)
        .await;
    let after = load.stop().await;
    assert_eq!(after.failed, 0, "{:?}", after.errors);
    let recovered = |bed: &Bed| bed.count(|event| matches!(event, Event::Recovered { .. }));
    bed.until("it is told", |bed| recovered(bed) > 0).await;
    assert_eq!(recovered(&bed), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_at_once() {
    let bed = Bed::builder()
        .start_with(|emulator| emulator.identity().set_fault(Some(Fault::InvalidClient)))
        .await;
    let opened = bed.client.multiplexed_with_config(patient()).await;
    let error = opened.unwrap_err().to_string();
    assert!(error.contains("rejected the credentials"), "{error}");
    assert!(error.contains("7000215"), "{error}");
    assert_eq!(bed.emulator.identity().token_requests(), 1);
}
