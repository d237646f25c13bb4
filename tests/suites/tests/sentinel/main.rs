//! A master, two replicas and three sentinels, whose gateways demand tokens.

#![allow(clippy::unwrap_used)] // helpers are called by tests, not marked as such

mod changes;
mod lookup;
mod next_major;
mod pool;

use std::collections::BTreeSet;
use std::time::Duration;

use redis_authx_emulator::{SentinelControl, Store};
use redis_authx_redis::{AuthClient, AuthConnection, AuthSentinelClient};
use redis_authx_suites::{Bed, BedBuilder, PATIENCE, patient, prompt};

const KEY: &str = "key";

fn bed() -> BedBuilder {
    Bed::builder().store(Store::sentinel(2, 3))
}

/// With tokens that outlive the test.
async fn lasting() -> Bed {
    bed().lifetime(Duration::from_secs(600)).start().await
}

fn control(bed: &Bed) -> &SentinelControl {
    bed.emulator.sentinel().unwrap()
}

/// A client that knows these sentinels.
fn knowing(bed: &Bed, sentinels: &[String]) -> AuthSentinelClient {
    let builder = AuthClient::builder(sentinels[0].as_str(), bed.manager.credentials());
    let others = sentinels[1..].iter().map(String::as_str);
    let builder = builder
        .initial_nodes(others)
        .reauth_policy(prompt().build().unwrap());
    let client = builder.build().unwrap();
    client.sentinel(control(bed).master_name())
}

/// One that knows them all.
fn service(bed: &Bed) -> AuthSentinelClient {
    knowing(bed, control(bed).sentinel_urls())
}

/// A connection whose commands wait while it is being replaced.
async fn waiting(bed: &Bed) -> AuthConnection {
    let opened = service(bed).manager_with_config(patient()).await;
    opened.unwrap()
}

/// The nodes that there are connections to.
fn connected_to(bed: &Bed) -> BTreeSet<usize> {
    let reports = bed.emulator.redis().connection_reports();
    let open = reports.iter().filter(|report| report.open);
    open.map(|report| report.node).collect()
}
