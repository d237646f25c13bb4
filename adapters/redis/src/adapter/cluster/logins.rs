//! One log-in at a time to each node.
//!
//! While redis-rs reconnects to a node, each command that is redirected there
//! has it open another connection. Those that come meanwhile share the one.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use super::node::Node;
use super::redis::RedisResult;
use super::redis::cluster::NodeAddress;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared, WeakShared};

/// Driven by any of those that wait for it: redis-rs may stop polling one of
/// them for as long as another has not ended.
type Login = BoxFuture<'static, RedisResult<Node>>;

#[derive(Default)]
pub(crate) struct Logins(Mutex<BTreeMap<NodeAddress, WeakShared<Login>>>);

impl Logins {
    /// Joins the log-in to a node that is under way, or begins with `log_in`. It
    /// is dropped with the last that waits for it.
    pub(crate) fn join(
        &self,
        address: NodeAddress,
        log_in: impl Future<Output = RedisResult<Node>> + Send + 'static,
    ) -> Shared<Login> {
        let mut logins = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = logins.get(&address).and_then(WeakShared::upgrade);
        if let Some(login) = under_way.filter(|login| login.peek().is_none()) {
            return login;
        }
        // No more are kept than are under way.
        logins.retain(|_, login| login.upgrade().is_some());
        let login = log_in.boxed().shared();
        if let Some(weak) = login.downgrade() {
            logins.insert(address, weak);
        }
        login
    }
}
