//! Raw transactions that go wrong don't keep a connection from being renewed.

#![allow(clippy::unwrap_used)] // the cases are mounted as tests, not marked as such

use std::future::ready;
use std::time::Duration;

use redis::{AsyncCommands, cmd};
use redis_authx::ReauthPolicy;
use redis_authx_redis::AuthConnection;
use redis_authx_suites::{Bed, KEY, Server, on_every_server};

on_every_server!(
    a_multi_that_is_refused_opens_nothing,
    a_second_multi_is_answered_by_the_server,
);

/// Tokens that rotate when they are told to; what has not taken the new one is
/// replaced after 3 s, long before it expires.
async fn bed(server: &Server) -> Bed {
    server
        .bed()
        .lifetime(Duration::from_secs(60))
        .reauth(ReauthPolicy::builder().replace_after(0.05))
        .start()
        .await
}

/// Two rotations later it works, was never closed, and no `AUTH` was queued.
async fn assert_renewed(bed: &Bed, mut connection: AuthConnection) {
    for _ in 0..2 {
        bed.turn().await;
        bed.settled(std::slice::from_ref(&connection)).await;
    }
    () = connection.set(KEY, 1).await.unwrap();
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
    assert_eq!(bed.emulator.redis().auths_in_transactions(), 0);
}

/// Nobody knows whether it was sent. It may cost the connection, but no more.
#[tokio::test] // one thread: nothing is answered during a poll
async fn a_multi_that_is_dropped_does_not_block_renewal_for_good() {
    let bed = bed(&Server::on_path()).await;
    let mut connection = bed.multiplexed().await;
    let command = cmd("MULTI");
    tokio::select! {
        biased;
        sent = command.query_async::<()>(&mut connection) => panic!("no server is so fast: {sent:?}"),
        () = ready(()) => {}
    }
    assert_renewed(&bed, connection).await;
    assert!(bed.emulator.redis().connections_accepted() <= 2);
}

/// The same for the `EXEC`: the transaction is over, or will never be.
#[tokio::test] // one thread: nothing is answered during a poll
async fn an_exec_that_is_dropped_does_not_block_renewal_for_good() {
    let bed = bed(&Server::on_path()).await;
    let mut connection = bed.multiplexed().await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    let command = cmd("EXEC");
    tokio::select! {
        biased;
        sent = command.query_async::<()>(&mut connection) => panic!("no server is so fast: {sent:?}"),
        () = ready(()) => {}
    }
    assert_renewed(&bed, connection).await;
    assert!(bed.emulator.redis().connections_accepted() <= 2);
}

/// The server says that there is no transaction, so there is none to wait for.
async fn a_multi_that_is_refused_opens_nothing(server: Server) {
    let bed = bed(&server).await;
    let mut connection = bed.multiplexed().await;
    let refused = cmd("MULTI")
        .arg("too much")
        .query_async::<()>(&mut connection)
        .await;
    let error = refused.unwrap_err().to_string();
    assert!(error.contains("wrong number of arguments"), "{error}");
    assert_renewed(&bed, connection).await;
    assert_eq!(bed.emulator.redis().connections_accepted(), 1, "replaced");
}

/// A transaction of another clone that never ends: the server refuses the
/// second `MULTI`, which does not wait for the first one's end.
async fn a_second_multi_is_answered_by_the_server(server: Server) {
    let bed = server
        .bed()
        .lifetime(Duration::from_secs(600))
        .start()
        .await;
    let mut connection = bed.multiplexed().await;
    () = cmd("MULTI").query_async(&mut connection).await.unwrap();
    let nested = cmd("MULTI").query_async::<()>(&mut connection).await;
    let error = nested.unwrap_err().to_string();
    let exec = cmd("EXEC");
    let replies = exec.query_async::<Vec<String>>(&mut connection).await;
    if server.is_valkey() {
        // In words of its own, and the transaction is discarded.
        assert!(
            error.contains("not allowed inside a transaction"),
            "{error}"
        );
        assert_eq!(replies.unwrap_err().code(), Some("EXECABORT"));
    } else {
        assert!(error.contains("can not be nested"), "{error}");
        assert!(replies.unwrap().is_empty());
    }
}
