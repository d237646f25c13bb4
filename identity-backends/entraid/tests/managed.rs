//! Under a token manager, in manual time.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use redis_authx::testing::{minutes, seconds};
use redis_authx::{ErrorKind, TokenError, TokenManager, async_trait};
use redis_authx_entraid::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};

/// A new token with every second answer; throttled in between.
#[derive(Debug, Default)]
struct EverySecond(AtomicUsize);

impl EverySecond {
    fn requests(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl HttpClient for EverySecond {
    async fn send(&self, _: HttpRequest) -> Result<HttpResponse, HttpError> {
        let count = self.0.fetch_add(1, Ordering::SeqCst);
        if count % 2 == 1 {
            let throttled = HttpResponse::new(429).with_header("Retry-After", "60");
            return Ok(throttled.with_body("Too many requests"));
        }
        Ok(token_reply(&access_token(7200 + count as i64), 3600))
    }
}

#[test]
fn a_throttled_refresh_waits_as_long_as_it_was_asked_to() {
    let time = clock();
    let http = Arc::new(EverySecond::default());
    let identity = identity(Arc::clone(&http));
    let (manager, driver) = TokenManager::builder(identity).build(&time);
    let mut run = time.run(driver);
    let credentials = manager.credentials();
    assert_eq!(credentials.generation(), 1);
    assert_eq!(credentials.current().expect("a token").username(), OID);

    // Due at three quarters of the hour, or up to a twentieth earlier.
    run.advance(minutes(42));
    assert_eq!(http.requests(), 1);
    while http.requests() == 1 {
        run.advance(seconds(1));
    }
    run.advance(seconds(58));
    assert_eq!((http.requests(), credentials.generation()), (2, 1));
    // The minute, and at most a fifth of it more.
    run.advance(seconds(15));
    assert_eq!((http.requests(), credentials.generation()), (3, 2));
}

#[test]
fn the_reader_of_an_outage_sees_what_to_do() {
    let wrong_secret =
        HttpResponse::new(401).with_body(r#"{"error":"invalid_client","error_codes":[7000215]}"#);
    let unreachable = HttpError::new(HttpErrorKind::Connect, "the host name is not known");
    for (answer, kind, reason) in [
        (Ok(wrong_secret), ErrorKind::Rejected, "AADSTS7000215"),
        (
            Ok(token_reply(&access_token(-60), 3600)),
            ErrorKind::Expired,
            "clock",
        ),
        (Err(unreachable), ErrorKind::Unavailable, "host name"),
    ] {
        let time = clock();
        let identity = identity(Scripted::new(answer));
        let (manager, driver) = TokenManager::builder(identity).build(&time);
        let mut run = time.run(driver);
        run.advance(minutes(1));
        let error = manager.credentials().current().expect_err("no token");
        let TokenError::Unavailable(cause) = &error else {
            panic!("{error}")
        };
        assert_eq!(cause.kind(), kind);
        assert!(
            everything(&error).contains(reason),
            "{}",
            everything(&error)
        );
        assert!(!everything(&error).contains("hunter2"));
    }
}
