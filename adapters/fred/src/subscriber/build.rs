//! How a subscriber is built.

use std::sync::Arc;
use std::time::Duration;

use fred::error::{Error, ErrorKind};
use fred::types::Builder;
use fred::types::config::ServerConfig;
use tokio::sync::OnceCell;

use super::messages::Messages;
use super::{AuthSubscriber, Inner};
use crate::builder::AuthBuilder;
use crate::dial::Dial;
use crate::error;
use crate::renewal::Renewal;

/// What a link's own broadcasts hold, which are read at once.
const LINK_CAPACITY: usize = 32;

impl AuthBuilder {
    /// A subscriber that is handed over without losing a message, not yet
    /// connected. Feature `subscriber-client`.
    ///
    /// # Errors
    /// See [the type](Self#errors); a clustered configuration as well. For a
    /// cluster, name one of its nodes as a centralized server: it passes on what
    /// is published anywhere in the cluster, except for sharded channels. Those
    /// are for [`build_subscriber_client`](Self::build_subscriber_client), with
    /// RESP3.
    pub fn build_subscriber(&self) -> Result<AuthSubscriber, Error> {
        let renewal = self.renewal()?;
        let dial = renewal.dial(&self.builder)?;
        let capacity = self
            .builder
            .get_performance_config()
            .broadcast_channel_capacity;
        Ok(AuthSubscriber(Arc::new(Inner {
            dial,
            renewal,
            messages: Arc::new(Messages::new(capacity)),
            connected: OnceCell::new(),
        })))
    }
}

impl Renewal {
    /// How a subscriber of this builder's connects.
    fn dial(&self, builder: &Builder) -> Result<Dial, Error> {
        let Some(config) = builder.get_config() else {
            return Err(Error::new(
                ErrorKind::Config,
                "Missing client configuration.",
            ));
        };
        if matches!(config.server, ServerConfig::Clustered { .. }) {
            let why = "a subscriber connects to one server: name a node of the cluster as a \
                       centralized one, or use build_subscriber_client with RESP3";
            return Err(Error::new(ErrorKind::Config, why));
        }
        let mut performance = builder.get_performance_config().clone();
        performance.broadcast_channel_capacity = LINK_CAPACITY;
        // Whoever waits sets the limit.
        performance.default_command_timeout = Duration::ZERO;
        let mut connection = builder.get_connection_config().clone();
        // It is tried again, which takes a connection.
        connection.reconnect_on_auth_error = false;
        Ok(Dial {
            guard: self.guard(config).map_err(|error| error::config(&error))?,
            config: config.clone(),
            performance,
            connection,
        })
    }
}
