//! How a node's connection finds the cluster that it is of.
//!
//! redis-rs opens the connections to the nodes through a function that is given
//! nothing but where to connect to and what to log in with. So the user name is
//! a key to what is here. No server ever gets it: the log-in that follows has
//! the token's user in its place.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use super::AuthClient;
use super::nodes::Nodes;
use super::redis::cluster::{ClusterClient, ClusterClientBuilder};
use super::redis::{ConnectionInfo, ErrorKind, RedisError, RedisResult};

static CLUSTERS: Mutex<BTreeMap<String, Weak<Nodes>>> = Mutex::new(BTreeMap::new());

fn clusters() -> MutexGuard<'static, BTreeMap<String, Weak<Nodes>>> {
    CLUSTERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One that is found for as long as it is held, and redis-rs's client whose
/// connections find it.
pub(crate) fn enter(
    client: &AuthClient,
    settings: impl FnOnce(ClusterClientBuilder) -> ClusterClientBuilder,
) -> RedisResult<(ClusterClient, Arc<Nodes>)> {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let key = format!("redis-authx-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    let initial = [&*client.0.info].into_iter().chain(&client.0.more_nodes);
    let builder = settings(ClusterClientBuilder::new(initial.cloned()));
    let cluster = builder.username(&key).build()?;
    let nodes = Arc::new(Nodes::new(client.clone(), key.clone()));
    clusters().insert(key, Arc::downgrade(&nodes));
    Ok((cluster, nodes))
}

pub(crate) fn leave(key: &str) {
    clusters().remove(key);
}

/// The one whose key the user name is.
pub(crate) fn find(info: &ConnectionInfo) -> RedisResult<Arc<Nodes>> {
    let key = info.redis_settings().username().unwrap_or_default();
    let found = clusters().get(key).and_then(Weak::upgrade);
    found.ok_or_else(|| RedisError::from((ErrorKind::Client, "the cluster connection was dropped")))
}
