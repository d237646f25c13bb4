//! A client that is not kept alive.

use std::fmt;
use std::sync::Arc;

use fred::clients::Client;
use fred::interfaces::ClientLike;

/// fred's clients are references to one thing, which fred has no weak reference
/// to: this is one. fred's own task holds the client while it is connected.
#[derive(Clone)]
pub(crate) struct WeakClient {
    id: String,
    upgrade: Arc<dyn Fn() -> Option<Client> + Send + Sync>,
}

impl WeakClient {
    pub(crate) fn of(client: &Client) -> Self {
        let inner = Arc::downgrade(client.inner());
        Self {
            id: client.id().to_owned(),
            upgrade: Arc::new(move || inner.upgrade().as_ref().map(Client::from)),
        }
    }

    /// `None` once it has been quit and dropped.
    pub(crate) fn upgrade(&self) -> Option<Client> {
        (self.upgrade)()
    }
}

impl fmt::Debug for WeakClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("WeakClient").field(&self.id).finish()
    }
}
