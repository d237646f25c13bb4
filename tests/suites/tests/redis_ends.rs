//! No token to begin with, and no token any more.

use std::time::Duration;

use redis::{AsyncCommands, ErrorKind};
use redis_authx::ManagerState;
use redis_authx_emulator::Fault;
use redis_authx_redis::AuthClient;
use redis_authx_suites::{Bed, KEY, patient};

#[tokio::test(flavor = "multi_thread")]
async fn opening_waits_for_a_hanging_identity_service_no_longer_than_told() {
    let bed = Bed::builder()
        .request_timeout(Duration::from_secs(600))
        .start_with(|emulator| emulator.identity().set_fault(Some(Fault::Hang)))
        .await;
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .login_timeout(Duration::from_millis(100))
        .build()
        .unwrap();
    let error = client.multiplexed().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::AuthenticationFailed, "{error}");
    assert_eq!(bed.emulator.redis().connections_accepted(), 0);
    bed.emulator.identity().release_hung();
}

/// "For ever" is a limit like others.
#[tokio::test(flavor = "multi_thread")]
async fn limits_may_be_as_long_as_can_be() {
    let bed = Bed::builder().start().await;
    let client = AuthClient::builder(bed.emulator.redis_url(), bed.manager.credentials())
        .login_timeout(Duration::MAX)
        .reconnect_wait(Duration::MAX)
        .build()
        .unwrap();
    bed.emulator.redis().refuse_next_auths(1);
    let mut connection = client.manager_with_config(patient()).await.unwrap();
    bed.drop_connections().await;
    // It fails, or waits where the loss is seen before it is sent.
    let _ = connection.get::<_, Option<u64>>(KEY).await;
    () = connection.set(KEY, 1).await.unwrap();
}

/// The token in hand is good until it expires; then every command says why.
#[tokio::test(flavor = "multi_thread")]
async fn connections_outlive_their_manager_until_their_token_expires() {
    let bed = Bed::builder().start().await;
    let mut connections = [bed.multiplexed().await, bed.waiting().await];
    bed.manager.stop();
    bed.until("it has stopped", |bed| {
        bed.manager.status().state == ManagerState::Stopped
    })
    .await;
    for connection in &mut connections {
        () = connection.set(KEY, 1).await.unwrap();
    }
    bed.until("the token has expired", |bed| {
        bed.emulator.redis().closed_by_expiry() == 2
    })
    .await;
    for connection in &mut connections {
        let closed = connection.get::<_, u64>(KEY).await.unwrap_err();
        assert!(closed.is_connection_dropped(), "{closed}");
        let told = connection.get::<_, u64>(KEY).await.unwrap_err();
        assert_eq!(told.kind(), ErrorKind::AuthenticationFailed, "{told}");
        assert!(told.to_string().contains("stopped"), "{told}");
    }
    assert!(bed.client.multiplexed().await.is_err());
}
