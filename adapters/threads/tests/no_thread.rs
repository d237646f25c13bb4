//! A system that can't start a thread.
//!
//! A child process asks for more stack for each thread than an address space has.
//! The test has no harness, since that would need threads.

#![allow(clippy::unwrap_used)] // without a harness, no function is marked as a test

use std::env;
use std::process::Command;

use redis_authx::{StaticToken, Token, TokenManager};
use redis_authx_threads::Threads;

const STACK: (&str, &str) = ("RUST_MIN_STACK", "1125899906842624");

fn main() {
    if !cfg!(target_os = "linux") {
        return;
    }
    if env::var_os(STACK.0).is_none_or(|size| size != STACK.1) {
        let this = env::current_exe().unwrap();
        let child = Command::new(this).env(STACK.0, STACK.1).status().unwrap();
        assert!(child.success());
        return;
    }
    let identity = StaticToken::new(Token::new("app", "s3cret"));
    let error = TokenManager::builder(identity).spawn(Threads).unwrap_err();
    assert_eq!(error.field(), "runtime");
    let found = error.found().unwrap();
    assert!(
        found.starts_with("`Threads`, which could not start a thread ("),
        "{found}"
    );
    assert!(error.allowed().contains("limit"), "{error}");
}
