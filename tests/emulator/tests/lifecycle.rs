//! Starting, stopping, and settings that can't work.
#![allow(clippy::unwrap_used)]

mod support;

use std::time::Duration;

use redis_authx_emulator::{Emulator, EmulatorError, Store};
use support::{HOUR, Raw, answers, eventually, quiet_port};

#[tokio::test]
async fn a_fixed_port_can_be_had_and_one_in_use_is_named() {
    let port = quiet_port();
    let first = Emulator::builder().redis_port(port).start().await.unwrap();
    let error = Emulator::builder()
        .redis_port(port)
        .start()
        .await
        .unwrap_err();
    assert!(matches!(error, EmulatorError::Bind { .. }));
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    let url = first.redis_url().to_owned();
    assert!(url.ends_with(&format!(":{port}")), "{url}");
    drop(first);
    eventually("the port's release", || !answers(&url)).await;
    let second = Emulator::builder().redis_port(port).start().await.unwrap();
    assert_eq!(second.redis_url(), url);
}

#[tokio::test]
async fn settings_that_can_not_work_are_named() {
    let builder = Emulator::builder;
    for (builder, setting) in [
        (builder().tenant_id("a/b"), "tenant_id"),
        (builder().tenant_id("common"), "tenant_id"),
        (builder().client_id(""), "client_id"),
        (builder().object_id("a b"), "object_id"),
        (builder().object_id("default"), "object_id"),
        (builder().client_secret(""), "client_secret"),
        (builder().token_lifetime(Duration::ZERO), "token_lifetime"),
        (builder().token_lifetime(Duration::MAX), "token_lifetime"),
        (builder().store(Store::Url("http://h".into())), "store"),
        (builder().store(Store::cluster(0, 1)), "store"),
        (builder().store(Store::cluster(60, 1)), "store"),
        (builder().store(Store::sentinel(1, 0)), "store"),
    ] {
        let error = builder.start().await.unwrap_err();
        let EmulatorError::InvalidSetting { setting: named, .. } = &error else {
            panic!("{error}");
        };
        assert_eq!(*named, setting);
    }
}

#[tokio::test]
async fn a_missing_or_useless_redis_server_is_an_error_that_says_what_to_do() {
    let start = |program: &str| {
        let builder = Emulator::builder().store(Store::RedisServer);
        builder.redis_server_program(program).start()
    };
    let error = start("no-such-redis-server").await.unwrap_err();
    assert!(matches!(error, EmulatorError::RedisServerMissing { .. }));
    assert!(
        error.to_string().contains("apt-get install redis-server"),
        "{error}"
    );
    let error = start("false").await.unwrap_err();
    assert!(
        matches!(error, EmulatorError::RedisServerStart { .. }),
        "{error}"
    );
}

#[test]
fn without_a_runtime_start_says_so() {
    let start = Emulator::builder().start();
    let mut start = std::pin::pin!(start);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(outcome) = start.as_mut().poll(&mut context) else {
        panic!("it waits");
    };
    assert!(matches!(outcome, Err(EmulatorError::NoRuntime)));
}

#[tokio::test]
async fn debug_output_holds_no_secret() {
    let builder = Emulator::builder().client_secret("very-secret-text");
    let shown = format!("{builder:?}");
    assert!(shown.contains("tenant_id") && !shown.contains("very-secret-text"));
    let emulator = builder.start().await.unwrap();
    let token = emulator.issue_token(HOUR);
    let mut raw = Raw::open(&emulator).await;
    raw.expect(
        &format!("AUTH {} {token}\r\n", emulator.object_id()),
        "+OK\r\n",
    )
    .await;
    let shown = format!(
        "{emulator:?} {:?} {:?} {:?}",
        emulator.identity(),
        emulator.redis(),
        emulator.redis().connection_reports()
    );
    assert!(shown.contains("auths_accepted: 1"), "{shown}");
    let signature = token.rsplit('.').next().unwrap();
    for secret in ["very-secret-text", signature, "PRIVATE"] {
        assert!(!shown.contains(secret), "{shown}");
    }
}
