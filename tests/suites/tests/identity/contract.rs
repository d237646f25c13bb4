//! The contract.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use redis::AsyncCommands;
use redis_authx::{ErrorKind, Event, IdentityProvider, Moment, SessionRule, TokenRequest};
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_suites::{Bed, BedBuilder, Load, PATIENCE, patient};
use redis_authx_tokio::Tokio;

use crate::support::{error, everything, signed_up, token};

/// A way to sign in to an emulator.
pub(crate) trait Flow: 'static {
    type Identity: IdentityProvider;

    /// An identity that the emulator knows, ready to be asked for tokens.
    fn identity(emulator: &Emulator) -> impl Future<Output = Self::Identity> + Send;

    /// What must never be shown, beside the tokens.
    fn secrets(emulator: &Emulator) -> Vec<String>;
}

macro_rules! mount {
    ($flow:ty: $($case:ident,)+) => {
        mod contract {
            use super::*;

            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $case() {
                    $crate::contract::$case::<$flow>().await;
                }
            )+
        }
    };
}
pub(crate) use mount;

/// Mounts the contract for a [`Flow`].
macro_rules! identity_contract {
    ($flow:ty) => {
        $crate::contract::mount! { $flow:
            a_token_is_the_object_id_and_a_jwt_that_redis_takes,
            each_request_asks_anew,
            the_same_token_again_is_passed_on,
            a_fault_is_classified_and_over_when_it_is_over,
            a_service_that_is_down_is_unavailable,
            a_hanging_request_can_be_dropped,
            no_error_or_debug_shows_a_secret,
            a_connection_lives_through_rotations,
            a_connection_lives_through_faults,
            a_connection_lives_through_a_hang,
        }
    };
}
pub(crate) use identity_contract;

pub(crate) async fn a_token_is_the_object_id_and_a_jwt_that_redis_takes<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    let token = token(&identity).await;

    assert_eq!(token.username(), emulator.object_id());
    assert_eq!(token.password().split('.').count(), 3, "a JWT");
    assert_eq!(token.session_rule(), SessionRule::EndsWithToken);
    let left = token.time_left(Moment::now(&Tokio)).unwrap();
    let hour = Duration::from_secs(3600);
    // It ends on a whole second, and not every service says by itself how long
    // that is from now.
    assert!(
        left <= hour + Duration::from_secs(1) && left > hour - Duration::from_secs(120),
        "{left:?}"
    );

    let url = emulator.redis_url().replacen(
        "://",
        &format!("://{}:{}@", token.username(), token.password()),
        1,
    );
    let client = redis::Client::open(url).unwrap();
    let config = patient();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    let mut connection = opened.await.unwrap();
    assert_eq!(connection.incr::<_, _, i64>("n", 1).await, Ok(1));
}

pub(crate) async fn each_request_asks_anew<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    let before = emulator.identity().token_requests();
    let first = token(&identity).await;
    let second = token(&identity).await;
    assert_ne!(first.password(), second.password());
    assert_eq!(first.username(), second.username());
    // A flow that was signed in beforehand has its first token already.
    let asked = emulator.identity().token_requests() - before;
    assert!((1..=2).contains(&asked), "{asked} requests");
}

pub(crate) async fn the_same_token_again_is_passed_on<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    token(&identity).await;
    let first = token(&identity).await;
    emulator.identity().set_fault(Some(Fault::SameToken));
    assert_eq!(token(&identity).await.password(), first.password());
}

pub(crate) async fn a_fault_is_classified_and_over_when_it_is_over<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    token(&identity).await;
    let throttled = Fault::Throttled {
        retry_after: Duration::from_secs(7),
    };
    for (fault, kind) in [
        (throttled, ErrorKind::Throttled),
        (Fault::ServerError(500), ErrorKind::Unavailable),
        (Fault::ServerError(503), ErrorKind::Unavailable),
        (Fault::DropConnection, ErrorKind::Unavailable),
        (Fault::Malformed, ErrorKind::InvalidResponse),
        (Fault::EmptyBody, ErrorKind::InvalidResponse),
        (Fault::OversizedBody(2 << 20), ErrorKind::InvalidResponse),
        (Fault::ExpiredToken, ErrorKind::Expired),
        (Fault::MissingOid, ErrorKind::InvalidResponse),
    ] {
        emulator.identity().set_fault(Some(fault.clone()));
        let error = error(&identity).await;
        assert_eq!(error.kind(), kind, "{fault:?}: {}", everything(&error));
        assert!(error.is_transient());
        if let Fault::Throttled { retry_after } = fault {
            assert_eq!(error.retry_after(), Some(retry_after));
        }
        emulator.identity().set_fault(None);
        token(&identity).await;
    }
}

pub(crate) async fn a_service_that_is_down_is_unavailable<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    token(&identity).await;
    emulator.identity().set_outage(true);
    assert_eq!(error(&identity).await.kind(), ErrorKind::Unavailable);
    emulator.identity().set_outage(false);
    token(&identity).await;
}

pub(crate) async fn a_hanging_request_can_be_dropped<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    token(&identity).await;
    emulator.identity().set_fault(Some(Fault::Hang));
    let before = emulator.identity().token_requests();
    {
        let wanted = TokenRequest::new(&Tokio, PATIENCE);
        let mut request = pin!(identity.request_token(&wanted));
        while emulator.identity().token_requests() == before {
            let polled = poll_fn(|cx| Poll::Ready(request.as_mut().poll(cx))).await;
            assert!(polled.is_pending());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
    emulator.identity().set_fault(None);
    token(&identity).await;
}

pub(crate) async fn no_error_or_debug_shows_a_secret<F: Flow>() {
    let (emulator, identity) = signed_up::<F>().await;
    let mut shown = format!("{identity:?}{identity:#?}");
    let mut secrets = F::secrets(&emulator);
    for fault in [
        Fault::InvalidClient,
        Fault::Malformed,
        Fault::ServerError(500),
        Fault::DropConnection,
        Fault::ExpiredToken,
        Fault::MissingOid,
    ] {
        secrets.push(token(&identity).await.password().to_owned());
        emulator.identity().set_fault(Some(fault));
        shown += &everything(&error(&identity).await);
        emulator.identity().set_fault(None);
    }
    secrets.extend(F::secrets(&emulator));
    shown += &format!("{identity:?}{identity:#?}");
    // How every JWT begins: no assertion, and no token's end.
    assert!(!shown.contains("eyJ"), "a JWT is shown in {shown}");
    for secret in secrets {
        assert!(secret.len() > 7, "too short to search for");
        assert!(!shown.contains(&secret), "a secret is shown in {shown}");
    }
}

/// Rotations in quick succession, each with time enough for a machine that is
/// busy with other tests.
fn unhurried() -> BedBuilder {
    Bed::builder().lifetime(Duration::from_secs(16)).ratio(0.15)
}

pub(crate) async fn a_connection_lives_through_rotations<F: Flow>() {
    let bed = unhurried().start_as(F::identity).await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 4);
    bed.rotate(3).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert!(seen.acknowledged > 0);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

pub(crate) async fn a_connection_lives_through_faults<F: Flow>() {
    let bed = unhurried().start_as(F::identity).await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 4);
    for fault in [Fault::ServerError(503), Fault::Malformed] {
        bed.emulator.identity().fail_next(1, fault);
        bed.rotate(1).await;
    }
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}

pub(crate) async fn a_connection_lives_through_a_hang<F: Flow>() {
    let limit = Duration::from_secs(4);
    let bed = unhurried()
        .request_timeout(limit)
        .start_as(F::identity)
        .await;
    let connection = bed.multiplexed().await;
    let load = Load::start(std::slice::from_ref(&connection), 4);
    let timeouts = |bed: &Bed| {
        bed.count(|event| {
            matches!(event, Event::AttemptFailed { error, .. } if error.kind() == ErrorKind::Timeout)
        })
    };
    bed.emulator.identity().set_fault(Some(Fault::Hang));
    bed.until("a request is given up", |bed| timeouts(bed) == 1)
        .await;
    bed.emulator.identity().set_fault(None);
    bed.rotate(1).await;
    bed.settled(std::slice::from_ref(&connection)).await;
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
}
