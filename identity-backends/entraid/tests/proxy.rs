//! The proxy of the environment. In a process of its own, since a process has
//! one environment.

mod common;
mod support;

use std::env;
use std::process::Command;

use common::everything;
use futures::executor::block_on;
use redis_authx_entraid::{HttpClient, HttpErrorKind, HttpMethod, HttpRequest, UreqClient};
use support::{Server, ok, status};

const TARGET: &str = "REDIS_AUTHX_TEST_TARGET";

#[test]
fn a_host_on_this_machine_is_asked_directly() {
    if let Ok(target) = env::var(TARGET) {
        return inside(&target);
    }
    let proxy = Server::plain(status("403 Forbidden"));
    let target = Server::plain(ok(""));
    let output = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "a_host_on_this_machine_is_asked_directly"])
        .env("ALL_PROXY", proxy.url(""))
        .env_remove("NO_PROXY")
        .env_remove("no_proxy")
        .env(TARGET, target.url("/here"))
        .output()
        .expect("this test, again");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stdout)
    );

    assert!(target.next().starts_with("POST /here HTTP/1.1\r\n"));
    assert!(
        proxy
            .next()
            .starts_with("CONNECT login.invalid:443 HTTP/1.1\r\n")
    );
    assert!(proxy.nothing_came());
}

fn inside(target: &str) {
    let client = UreqClient::new();
    let send = |url: &str| {
        let request = HttpRequest::new(HttpMethod::Post, url).with_body("hunter2");
        block_on(client.send(request))
    };
    assert_eq!(send(target).expect("an answer").status(), 200);
    // A request that forbids it, to a host that the proxy would be asked for.
    let request = HttpRequest::new(HttpMethod::Get, "http://imds.invalid/").without_proxy();
    let error = block_on(client.send(request)).expect_err("no such host");
    assert_eq!(error.kind(), HttpErrorKind::Connect);

    let error = send("https://login.invalid/").expect_err("the proxy refuses");
    assert_eq!(error.kind(), HttpErrorKind::Connect);
    assert!(
        everything(&error).contains("the proxy refused"),
        "{}",
        everything(&error)
    );
}
