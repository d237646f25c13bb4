//! Nodes become a cluster, and when it is one (Redis documentation, "CLUSTER MEET", "CLUSTER
//! ADDSLOTS", "CLUSTER REPLICATE").

use std::{collections::HashMap, io, ops::Range, time::Duration};

use tokio::time::Instant;

use super::view::{self, Seen};
use crate::{
    EmulatorError,
    server::{
        attempts::{Attempts, failed},
        child::{Launch, RedisServer},
    },
};

/// After how many milliseconds without an answer a node counts as dead: long enough for a busy
/// machine, short enough for a test.
const NODE_TIMEOUT: u32 = 3000;

/// How many there are (Redis Cluster specification).
const SLOTS: usize = 16_384;

/// A node too busy to answer in time is forgotten, and not met again by itself.
const MEET_AGAIN: Duration = Duration::from_secs(6);

/// Starts that many nodes and makes them a cluster, whose primaries are the first ones.
pub(crate) async fn start(
    mut launch: Launch,
    nodes: usize,
    primaries: usize,
) -> Result<Vec<RedisServer>, EmulatorError> {
    launch.settings.push_str(&format!(
        "cluster-enabled yes\ncluster-node-timeout {NODE_TIMEOUT}\ncluster-announce-ip 127.0.0.1\n\
         cluster-replica-validity-factor 0\ncluster-migration-barrier 1000\n"
    ));
    let servers = RedisServer::start_all(launch, nodes).await?;
    let all: Vec<&RedisServer> = servers.iter().collect();
    let (primary, replicas) = all.split_at(primaries);
    for (index, server) in primary.iter().enumerate() {
        let given = give_slots(server, index, share(index, primaries)).await;
        given.map_err(|error| failed("giving the primaries slots", error))?;
    }
    get_acquainted(&all).await?;
    let attempts = Attempts::at("giving the primaries replicas");
    for (index, replica) in replicas.iter().enumerate() {
        let primary = primary[index % primaries];
        while attempts
            .made(replicate(replica, primary).await)
            .await?
            .is_none()
        {}
    }
    let attempts = Attempts::at("the cluster's forming");
    let formed = |seen: &Vec<Seen>| {
        seen.len() == nodes && seen.iter().filter(|node| node.primary).count() == primaries
    };
    loop {
        let seen = agreed(&all).await.map(|seen| seen.filter(formed));
        if attempts.made(seen).await?.is_some() {
            return Ok(servers);
        }
    }
}

/// The slots of one of so many primaries.
fn share(index: usize, primaries: usize) -> Range<usize> {
    SLOTS * index / primaries..SLOTS * (index + 1) / primaries
}

async fn give_slots(server: &RedisServer, index: usize, slots: Range<usize>) -> io::Result<()> {
    let mut admin = server.admin().await?;
    let mut words = vec!["CLUSTER".to_owned(), "ADDSLOTS".to_owned()];
    words.extend(slots.map(|slot| slot.to_string()));
    admin.ask_all(&words).await?;
    // Nodes that all start with the same epoch would have to sort that out first.
    let epoch = (index + 1).to_string();
    admin
        .ask_all(&["CLUSTER", "SET-CONFIG-EPOCH", &epoch])
        .await
        .map(drop)
}

/// Each with each, which is quicker than gossip.
async fn meet(servers: &[&RedisServer]) -> io::Result<()> {
    for (index, server) in servers.iter().enumerate() {
        let mut admin = server.admin().await?;
        for other in &servers[index + 1..] {
            let port = other.port().to_string();
            admin
                .ask_all(&["CLUSTER", "MEET", "127.0.0.1", &port])
                .await?;
        }
    }
    Ok(())
}

async fn get_acquainted(servers: &[&RedisServer]) -> Result<(), EmulatorError> {
    let attempts = Attempts::at("the nodes' meeting");
    let mut last_met: Option<Instant> = None;
    loop {
        let attempt = async {
            if last_met.is_none_or(|met| met.elapsed() > MEET_AGAIN) {
                meet(servers).await?;
                last_met = Some(Instant::now());
            }
            acquainted(servers).await
        };
        let outcome = attempt.await;
        if attempts.made(outcome).await?.is_some() {
            return Ok(());
        }
    }
}

/// Whether each knows all others.
async fn acquainted(servers: &[&RedisServer]) -> io::Result<Option<()>> {
    for server in servers {
        let seen = view::ask(&mut server.admin().await?).await?;
        if seen.len() != servers.len() || seen.iter().any(|node| node.unwell) {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

async fn replicate(replica: &RedisServer, primary: &RedisServer) -> io::Result<Option<()>> {
    let mut admin = primary.admin().await?;
    let id = admin.ask_text(&["CLUSTER", "MYID"]).await?;
    let mut admin = replica.admin().await?;
    admin.ask_all(&["CLUSTER", "REPLICATE", &id]).await?;
    Ok(Some(()))
}

/// What all of these nodes see, if they see the same, say that the cluster is well, and their
/// replicas follow their primaries.
pub(crate) async fn agreed(servers: &[&RedisServer]) -> io::Result<Option<Vec<Seen>>> {
    let mut common: Option<HashMap<String, Seen>> = None;
    for server in servers {
        let mut admin = server.admin().await?;
        let state = admin.ask_text(&["CLUSTER", "INFO"]).await?;
        let link = admin.ask_text(&["INFO", "replication"]).await?;
        if !state.contains("cluster_state:ok") || link.contains("master_link_status:down") {
            return Ok(None);
        }
        let mut seen = HashMap::new();
        for mut node in view::ask(&mut admin).await? {
            node.myself = false;
            seen.insert(node.id.clone(), node);
        }
        let well = |port| seen.values().any(|node| node.port == port && !node.unwell);
        let listed = view::listed(&mut admin).await?;
        let all_well = servers.iter().all(|server| well(server.port()));
        let all_listed = seen.values().all(|node| {
            let primary = node.replica_of.as_ref().and_then(|id| seen.get(id));
            node.unwell || !primary.unwrap_or(node).serves_some() || listed.contains(&node.port)
        });
        if !all_well || !all_listed || common.as_ref().is_some_and(|common| *common != seen) {
            return Ok(None);
        }
        common = Some(seen);
    }
    Ok(common.map(|seen| seen.into_values().collect()))
}
