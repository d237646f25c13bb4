//! Connections, tokens and nodes that are lost.

use redis::{AsyncCommands, ErrorKind};
use redis_authx_redis::AuthClient;
use redis_authx_suites::Load;

use super::*;

/// redis-rs opens another; the re-authenticator does not as well, and neither
/// does every command that is redirected to that node meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_dropped_connection_is_not_replaced_by_many() {
    let bed = lasting().await;
    let redis = bed.emulator.redis();
    let connection = connect(&bed).await;
    let load = Load::over(keys(), std::slice::from_ref(&connection), 8);
    for primary in control(&bed).primaries().await.unwrap() {
        let accepted = redis.connections_accepted();
        redis.drop_node_connections(primary);
        bed.until("it is connected to", |_| {
            redis.connections() == NODES && redis.connections_accepted() > accepted
        })
        .await;
        let before = load.seen();
        bed.until("commands are answered", |_| {
            load.seen().acknowledged > before.acknowledged + 100
        })
        .await;
        // redis-rs may be late to hear of the first.
        let opened = redis.connections_accepted() - accepted;
        assert!(opened <= 2, "{opened}");
    }
    let seen = load.stop().await;
    assert_eq!(seen.failed, 0, "{:?}", seen.errors);
}

/// No token, no log-in: commands say why, and go on when there is one.
#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_named_and_ends_by_itself() {
    let bed = bed().start().await;
    let mut connection = connect(&bed).await;
    let () = connection.set(KEY, 1).await.unwrap();
    bed.emulator.identity().set_outage(true);
    bed.until("there is no token", |bed| {
        bed.manager.status().state != ManagerState::Valid
    })
    .await;
    bed.until("the connections have expired", |bed| {
        bed.emulator.redis().connections() == 0
    })
    .await;
    let error = connection.get::<_, u64>(KEY).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{error}");
    assert!(error.to_string().contains("not logged in"), "{error}");
    bed.emulator.identity().set_outage(false);
    bed.until("there is a token", |bed| {
        bed.manager.status().state == ManagerState::Valid
    })
    .await;
    assert_eq!(connection.get::<_, u64>(KEY).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_login_takes_a_fresh_token() {
    let bed = lasting().await;
    bed.until("there is a token", |bed| {
        bed.manager.status().state == ManagerState::Valid
    })
    .await;
    bed.emulator.redis().refuse_auth_until_fresh_token();
    let mut connection = connect(&bed).await;
    let () = connection.set(KEY, 1).await.unwrap();
    bed.until("the manager was asked", |bed| bed.rotations() >= 1)
        .await;
    assert_eq!(bed.rotations(), 1, "long before the token's time");

    // The same for connections that were lost.
    let load = Load::over(keys(), std::slice::from_ref(&connection), 8);
    bed.emulator.redis().revoke_tokens_issued_until_now();
    bed.until("the manager was asked once more", |bed| {
        bed.rotations() >= 2
    })
    .await;
    let before = load.seen();
    bed.until("commands are answered", |_| {
        load.seen().acknowledged > before.acknowledged + 100
    })
    .await;
    load.stop().await;
    assert_eq!(bed.rotations(), 2, "no token is asked for twice");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_can_not_be_opened_says_why() {
    let bed = lasting().await;
    let url = control(&bed).urls()[0].as_str();
    let builder = AuthClient::builder("redis://127.0.0.1:1", bed.manager.credentials());
    let client = builder.initial_nodes([url]).build().unwrap();
    bed.emulator.redis().refuse_next_auths(1000);
    let error = client.cluster_with(patient).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{error}");
    assert_eq!(bed.emulator.redis().auths_refused(), 2);
    bed.emulator.redis().refuse_next_auths(0);

    let down = AuthClient::open("redis://127.0.0.1:1", bed.manager.credentials()).unwrap();
    let error = down.cluster_with(patient).await.unwrap_err();
    assert!(error.is_io_error(), "{error}");
}
