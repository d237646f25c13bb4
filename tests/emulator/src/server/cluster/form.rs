//! Nodes become a cluster, and when it is one (Redis documentation, "CLUSTER MEET", "CLUSTER
//! ADDSLOTS", "CLUSTER REPLICATE").

use std::{collections::HashMap, io, ops::Range};

use tokio::task::JoinSet;

use super::view::{self, Seen};
use crate::{
    EmulatorError,
    server::{
        attempts::{Attempts, failed},
        child::{Launch, RedisServer},
    },
};

const DOING: &str = "forming the cluster";

/// After how many milliseconds without an answer a node counts as dead: long enough for a busy
/// machine, short enough for a test.
const NODE_TIMEOUT: u32 = 2000;

/// How many there are (Redis Cluster specification).
const SLOTS: usize = 16_384;

/// Starts that many nodes and makes them a cluster, whose primaries are the first ones.
pub(crate) async fn start(
    mut launch: Launch,
    nodes: usize,
    primaries: usize,
) -> Result<Vec<RedisServer>, EmulatorError> {
    let password = &launch.default_password;
    launch.settings.push_str(&format!(
        "cluster-enabled yes\ncluster-node-timeout {NODE_TIMEOUT}\ncluster-announce-ip 127.0.0.1\n\
         cluster-replica-validity-factor 0\ncluster-migration-barrier 1000\n\
         masterauth {password}\nrepl-diskless-sync yes\nrepl-diskless-sync-delay 0\n\
         repl-ping-replica-period 1\n"
    ));
    let servers = launch_all(launch, nodes).await?;
    let all: Vec<&RedisServer> = servers.iter().collect();
    let (primary, replicas) = all.split_at(primaries);
    let forming = Attempts::at(DOING);
    for (index, server) in primary.iter().enumerate() {
        let given = give_slots(server, index, share(index, primaries)).await;
        given.map_err(|error| failed(DOING, error))?;
    }
    let met = meet(&all).await;
    met.map_err(|error| failed(DOING, error))?;
    while forming.made(acquainted(&all).await).await?.is_none() {}
    for (index, replica) in replicas.iter().enumerate() {
        let primary = primary[index % primaries];
        while forming
            .made(replicate(replica, primary).await)
            .await?
            .is_none()
        {}
    }
    let formed = |seen: &Vec<Seen>| {
        seen.len() == nodes && seen.iter().filter(|node| node.primary).count() == primaries
    };
    loop {
        let seen = agreed(&all).await.map(|seen| seen.filter(formed));
        if forming.made(seen).await?.is_some() {
            return Ok(servers);
        }
    }
}

async fn launch_all(launch: Launch, nodes: usize) -> Result<Vec<RedisServer>, EmulatorError> {
    let mut starting = JoinSet::new();
    for _ in 0..nodes {
        starting.spawn(RedisServer::start(launch.clone()));
    }
    let mut servers = Vec::new();
    while let Some(started) = starting.join_next().await {
        // Only a panic or the end of the runtime joins no result.
        let ended = |error| failed(DOING, error);
        servers.push(started.map_err(ended)??);
    }
    Ok(servers)
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
        let all_well = servers.iter().all(|server| well(server.port()));
        if !all_well || common.as_ref().is_some_and(|common| *common != seen) {
            return Ok(None);
        }
        common = Some(seen);
    }
    Ok(common.map(|seen| seen.into_values().collect()))
}
