//! A command that blocks a client, across rotations: the `AUTH` behind it is not
//! answered, so the connection is replaced in time.

use fred::interfaces::{ClientLike, KeysInterface, ListInterface};
use redis_authx_suites::{Bed, KEY};

use crate::site::{Site, is_replacement};

#[tokio::test(flavor = "multi_thread")]
async fn a_block_goes_on_over_rotations() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let blocked = site.block(&client).await;
    site.until("it is replaced", |bed| bed.count(is_replacement) >= 2)
        .await;
    // What is sent behind the block waits, and is not lost.
    let behind = {
        let client = client.clone();
        tokio::spawn(async move { client.set::<(), _, _>(KEY, 1, None, None, false).await })
    };
    site.rotate(1).await;
    let other = site.clients().build().unwrap();
    other.init().await.unwrap();
    () = other.rpush("queue", 7).await.unwrap();
    assert_eq!(blocked.await.unwrap().unwrap(), ("queue".to_owned(), 7));
    behind.await.unwrap().unwrap();
    site.settled(2).await;
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
