use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use super::redis::cluster::NodeAddress;
use redis_authx::ConnectionStatus;
#[cfg(feature = "sync")]
use redis_authx_session::Registration;

use super::Shared;

/// How the connection to one node of a cluster is doing.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct NodeStatus {
    /// Where it was connected to: with a `node_address_map`, what that says.
    pub address: NodeAddress,
    /// Its token's generation, the latest failure, the time until the server
    /// would end the session.
    pub connection: ConnectionStatus,
}

/// What has a status as long as it lives.
pub(crate) trait Report: Send + Sync {
    fn status(&self) -> ConnectionStatus;
}

impl Report for Shared {
    fn status(&self) -> ConnectionStatus {
        self.registration.status()
    }
}

#[cfg(feature = "sync")]
impl Report for Registration {
    fn status(&self) -> ConnectionStatus {
        Self::status(self)
    }
}

/// Who can be asked for the status of which node, the latest last.
#[derive(Default)]
pub(crate) struct Reports(Mutex<Vec<(NodeAddress, Weak<dyn Report>)>>);

impl Reports {
    /// Adds one, and forgets those that are gone: it grows no longer than the
    /// connections that there are.
    pub(crate) fn add(&self, address: NodeAddress, report: Weak<dyn Report>) {
        let mut reports = self.lock();
        reports.retain(|(_, report)| report.strong_count() > 0);
        reports.push((address, report));
    }

    /// Of each node's latest connection, in the order of the addresses.
    pub(crate) fn read(&self) -> Vec<NodeStatus> {
        let mut reports = self.lock().clone();
        // The latest first: redis-rs keeps a lost one until it is replaced.
        reports.reverse();
        reports.sort_by(|(one, _), (other, _)| one.cmp(other));
        let alive = reports.into_iter().filter_map(|(address, report)| {
            let connection = report.upgrade()?.status();
            Some(NodeStatus {
                address,
                connection,
            })
        });
        let mut statuses: Vec<_> = alive.collect();
        statuses.dedup_by(|later, earlier| later.address == earlier.address);
        statuses
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(NodeAddress, Weak<dyn Report>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Reports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.read()).finish()
    }
}
