//! What is left after a drop. Alone in its file, since it looks at the whole process.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod support;

use redis_authx_emulator::{Emulator, Store};
use support::{HOUR, Raw, answers, eventually};

/// Processes started by this one that run `redis-server`, zombies included.
fn redis_children() -> usize {
    let own = format!("PPid:\t{}\n", std::process::id());
    let processes = std::fs::read_dir("/proc").unwrap();
    processes
        .filter_map(|entry| std::fs::read_to_string(entry.ok()?.path().join("status")).ok())
        .filter(|status| status.contains("redis-server") && status.contains(&own))
        .count()
}

fn folders() -> usize {
    let prefix = format!("authx-emulator-{}-", std::process::id());
    let entries = std::fs::read_dir(std::env::temp_dir()).unwrap();
    entries
        .filter(|entry| {
            entry
                .as_ref()
                .unwrap()
                .file_name()
                .to_string_lossy()
                .starts_with(&prefix)
        })
        .count()
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_leaves_nothing_running() {
    for (store, children) in [
        (Store::Embedded, 0),
        (Store::RedisServer, 1),
        (Store::cluster(3, 0), 3),
        (Store::sentinel(1, 2), 4),
    ] {
        let builder = Emulator::builder().store(store).plain_identity(true);
        let emulator = builder.start().await.unwrap();
        assert_eq!(redis_children(), children);
        assert_eq!(folders(), children);
        let urls = [
            emulator.redis_url(),
            emulator.redis_tls_url(),
            emulator.identity_url(),
            emulator.identity_plain_url().unwrap(),
        ]
        .map(str::to_owned);
        assert!(urls.iter().all(|url| answers(url)));
        let mut raw = Raw::logged_in(&emulator, HOUR).await;
        drop(emulator);
        assert_eq!(redis_children(), 0);
        assert_eq!(folders(), 0);
        assert_eq!(raw.rest().await, "");
        for url in urls {
            eventually("the listener's end", || !answers(&url)).await;
        }
    }
}
