//! Nothing that was started goes on.

use std::future::Future;
use std::pin::pin;
use std::process::Command;
use std::task::{Context, Waker};
use std::time::Duration;

use redis_authx::IdentityProvider;

use crate::common::{access_token, clock, request};
use crate::fake::{Fake, echo, eventually, is_gone, prints};

/// As `az` does: a script that starts another program and waits for it.
const HANGS: &str = "sleep 600 & echo $$ $! >\"$notes/ids\"\nwait";

fn all_gone(fake: &Fake) {
    let ids = fake.note("ids");
    assert_eq!(ids.split_whitespace().count(), 2);
    for id in ids.split_whitespace() {
        eventually(|| is_gone(id));
    }
}

#[test]
fn a_request_that_is_dropped_ends_the_tool_and_its_children() {
    let fake = Fake::new(HANGS);
    let identity = fake.az().time_limit(Duration::from_secs(600)).build();
    let identity = identity.expect("az");
    {
        let (time, mut context) = (clock(), Context::from_waker(Waker::noop()));
        let wanted = time.request();
        let mut request = pin!(identity.request_token(&wanted));
        assert!(request.as_mut().poll(&mut context).is_pending());
        fake.note("ids");
    }
    all_gone(&fake);
}

#[test]
fn a_request_that_takes_too_long_ends_the_tool_and_its_children() {
    let fake = Fake::new(HANGS);
    // However busy the machine: until the script has begun in time.
    for seconds in [1, 10, 60] {
        let identity = fake.az().time_limit(Duration::from_secs(seconds)).build();
        request(&identity.expect("az")).expect_err("too long");
        if fake.folder().join("ids").exists() {
            break;
        }
    }
    all_gone(&fake);
}

#[test]
fn what_keeps_the_output_of_a_tool_open_is_ended() {
    let printed = echo(&prints(&access_token(3600), u32::MAX.into())[0]);
    let fake = Fake::new(&format!("{printed}\nsleep 600 & echo $! >\"$notes/id\""));
    request(&fake.az().build().expect("az")).expect("a token");
    let id = fake.note("id");
    eventually(|| is_gone(&id));
}

#[test]
fn what_goes_on_without_the_output_of_a_tool_is_left_alone() {
    let printed = echo(&prints(&access_token(3600), u32::MAX.into())[0]);
    let script = "sleep 600 >&- 2>&- & echo $! >\"$notes/id\"";
    let fake = Fake::new(&format!("{printed}\n{script}"));
    request(&fake.az().build().expect("az")).expect("a token");
    let id = fake.note("id");
    assert!(!is_gone(&id));
    let killed = Command::new("kill")
        .args(["-s", "KILL", id.trim()])
        .status();
    assert!(killed.expect("kill").success());
}

#[test]
fn a_request_that_is_never_polled_runs_nothing() {
    let fake = Fake::new("echo >\"$notes/ran\"");
    let identity = fake.az().build().expect("az");
    drop(identity.request_token(&clock().request()));
    assert!(!fake.folder().join("ran").exists());
}
