//! The cluster's connections on smol, with no tokio in their thread.

use redis::AsyncCommands;
use redis_authx::{RefreshPolicy, TokenManager};
use redis_authx_redis::AuthClient;
use redis_authx_smol::Smol;

use super::*;

#[tokio::test(flavor = "multi_thread")]
async fn rotations_on_smol() {
    let bed = bed().calm().start().await;
    let url = control(&bed).urls()[0].clone();
    let identity = bed.emulator.client_secret_identity().unwrap();
    let thread = std::thread::spawn(move || {
        smol::block_on(async {
            let often = RefreshPolicy::builder().expiration_refresh_ratio(0.03);
            let manager = TokenManager::builder(identity)
                .refresh_policy(often.build().unwrap())
                .spawn(Smol)
                .unwrap();
            let client = AuthClient::open(url, manager.credentials()).unwrap();
            let mut connection = client.cluster_with(patient).await.unwrap();
            while manager.credentials().generation() < 3 {
                for key in keys().take(100) {
                    let () = connection.set(key, 1).await.unwrap();
                }
            }
            connection.nodes().len()
        })
    });
    bed.until("two rotations", |_| thread.is_finished()).await;
    assert_eq!(thread.join().unwrap(), NODES);
    assert_eq!(bed.emulator.redis().closed_by_expiry(), 0);
}
