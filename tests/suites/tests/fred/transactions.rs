//! An AUTH never lands inside a transaction of fred's builder.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fred::interfaces::{ClientLike, KeysInterface, TransactionInterface};
use fred::types::{ClusterHash, CustomCommand, Value};
use redis_authx::Event;
use redis_authx::reauth::ReauthErrorKind;
use redis_authx_suites::Bed;

use crate::site::Site;

#[tokio::test(flavor = "multi_thread")]
async fn built_transactions_of_many_tasks_are_never_hit() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    let before = site.emulator.redis().auths();
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..8)
        .map(|task| {
            let (client, stop) = (client.clone(), Arc::clone(&stop));
            tokio::spawn(async move {
                let key = format!("atomic:{task}");
                let mut done = 0u64;
                while !stop.load(Ordering::SeqCst) {
                    let transaction = client.multi();
                    () = transaction.incr(&key).await.unwrap();
                    () = transaction.incr(&key).await.unwrap();
                    let replies: Vec<u64> = transaction.exec(true).await.unwrap();
                    done += 2;
                    assert_eq!(replies, [done - 1, done]);
                }
            })
        })
        .collect();
    site.rotate(3).await;
    site.settled(1).await;
    stop.store(true, Ordering::SeqCst);
    for task in tasks {
        task.await.unwrap();
    }
    assert!(site.emulator.redis().auths() > before);
    assert_eq!(site.emulator.redis().auths_in_transactions(), 0);
    assert_eq!(site.emulator.redis().connections_accepted(), 1);
}

fn raw(command: &'static str) -> CustomCommand {
    CustomCommand::new_static(command, ClusterHash::Random, false)
}

/// fred shows nobody the commands that go by. A raw `MULTI` gets the AUTH, which
/// is noticed: it is not taken for a success, and sent again.
#[tokio::test(flavor = "multi_thread")]
async fn a_raw_multi_is_not_mistaken_for_a_renewal() {
    let site = Site::start(Bed::builder()).await;
    let client = site.clients().build().unwrap();
    client.init().await.unwrap();
    site.settled(1).await;
    () = client
        .custom(raw("MULTI"), Vec::<Value>::new())
        .await
        .unwrap();
    site.until("an AUTH was queued", |bed| {
        bed.emulator.redis().auths_in_transactions() > 0
    })
    .await;
    let busy = |event: &Event| matches!(event, Event::ReauthFailed { error, .. } if error.kind() == ReauthErrorKind::Busy);
    site.until("it was noticed", |bed| bed.count(busy) > 0)
        .await;
    let queued = site.emulator.redis().auths_in_transactions();
    () = client
        .custom(raw("DISCARD"), Vec::<Value>::new())
        .await
        .unwrap();
    site.settled(1).await;
    assert!(queued > 0);
    assert_eq!(site.emulator.redis().closed_by_expiry(), 0);
}
