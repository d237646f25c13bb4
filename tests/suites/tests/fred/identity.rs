//! The identity service misbehaves. What the application sees, and that all is
//! well again without help.

use std::time::Duration;

use fred::interfaces::{ClientLike, KeysInterface};
use redis_authx::{ErrorKind, Event, ManagerState};
use redis_authx_emulator::Fault;
use redis_authx_suites::{Bed, KEY};

use crate::load::Load;
use crate::site::Site;

const fn failed_as(kind: ErrorKind) -> impl Fn(&Event) -> bool {
    move |event| matches!(event, Event::AttemptFailed { error, .. } if error.kind() == kind)
}

/// The token in hand outlives each of them.
#[tokio::test(flavor = "multi_thread")]
async fn no_fault_is_noticed_while_a_token_is_held() {
    let retry_after = Duration::from_secs(1);
    let faults = [
        (Fault::Hang, ErrorKind::Timeout),
        (Fault::Throttled { retry_after }, ErrorKind::Throttled),
        (Fault::DropConnection, ErrorKind::Unavailable),
        (Fault::ServerError(503), ErrorKind::Unavailable),
        (Fault::Malformed, ErrorKind::InvalidResponse),
        (Fault::EmptyBody, ErrorKind::InvalidResponse),
        (Fault::OversizedBody(2 << 20), ErrorKind::InvalidResponse),
        (Fault::ExpiredToken, ErrorKind::Expired),
        (Fault::MissingOid, ErrorKind::InvalidResponse),
    ];
    let bed = Bed::builder()
        .lifetime(Duration::from_secs(60))
        .request_timeout(Duration::from_secs(2))
        .min_refresh_interval(Duration::from_millis(10));
    let site = Site::start(bed).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let load = Load::start(&client, 8, Load::one_key);
    for (fault, kind) in faults {
        let before = site.count(failed_as(kind));
        site.emulator.identity().fail_next(1, fault.clone());
        site.turn().await;
        assert_eq!(site.count(failed_as(kind)), before + 1, "{fault:?}");
        site.settled(1).await;
    }
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
    assert_eq!(client.get::<u64, _>(KEY).await.unwrap(), seen.acknowledged);
    let redis = site.emulator.redis();
    site.opened(1).await;
    assert_eq!(redis.closed_by_expiry(), 0);
}

/// Connecting takes longer, and that is all.
#[tokio::test(flavor = "multi_thread")]
async fn a_fault_at_the_start_delays_the_first_connection() {
    for fault in [Fault::DropConnection, Fault::Malformed] {
        let prepare = |emulator: &redis_authx_emulator::Emulator| {
            emulator.identity().fail_next(2, fault.clone());
        };
        let site = Site::on(Bed::builder().calm().start_with(prepare).await);
        let client = site.clients().build().unwrap();
        client.init().await.unwrap();
        assert_eq!(client.incr::<u64, _>(KEY).await.unwrap(), 1);
        assert_eq!(site.emulator.identity().failed_requests(), 2);
    }
}

/// Longer than the token lives: the server hangs up, and there is nothing to log
/// in with. Commands wait; none fails.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_that_outlasts_the_token_ends_by_itself() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let load = Load::start(&client, 8, Load::one_key);
    site.emulator.identity().set_outage(true);
    site.until("the token has expired", |bed| {
        bed.manager.status().state == ManagerState::Unavailable
            && bed.emulator.redis().connections() == 0
    })
    .await;
    let before = load.acknowledged();
    site.emulator.identity().set_outage(false);
    site.until("commands are answered", |_| load.acknowledged() > before)
        .await;
    site.settled(1).await;
    let seen = load.stop().await;
    assert_eq!(seen.errors, [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_told_at_once() {
    let refuse = |emulator: &redis_authx_emulator::Emulator| {
        emulator.identity().set_fault(Some(Fault::InvalidClient));
    };
    let site = Site::on(Bed::builder().start_with(refuse).await);
    let client = site.clients().build().unwrap();
    let error = client.init().await.unwrap_err();
    assert_eq!(*error.kind(), fred::error::ErrorKind::Auth, "{error}");
    let text = error.to_string();
    assert!(text.contains("rejected the credentials"), "{text}");
    assert!(text.contains("7000215"), "{text}");
    assert_eq!(site.emulator.identity().token_requests(), 1);
    client.quit().await.unwrap();
}
