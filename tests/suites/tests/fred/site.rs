//! A bed, and the clients of fred on it.

use std::ops::Deref;
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::{ClientLike, FredResult, ListInterface};
use fred::types::Builder;
use fred::types::RespVersion;
use fred::types::config::{Config, ReconnectPolicy};
use redis_authx::{Event, ManagerState, ReauthPolicyBuilder};
use redis_authx_fred::{AuthBuilder, BuilderExt, Renewal};
use redis_authx_suites::{Bed, BedBuilder};
use tokio::task::JoinHandle;

/// A [`Bed`] whose connections are fred's.
pub(crate) struct Site {
    bed: Bed,
    pub(crate) renewal: Renewal,
    pub(crate) version: RespVersion,
}

impl Site {
    pub(crate) async fn start(bed: BedBuilder) -> Self {
        Self::on(bed.start().await)
    }

    pub(crate) fn on(bed: Bed) -> Self {
        let renewal = Renewal::new(bed.manager.credentials()).unwrap();
        Self {
            bed,
            renewal,
            version: RespVersion::RESP2,
        }
    }

    /// Renewed by another policy than the default.
    pub(crate) fn renewed_by(mut self, policy: ReauthPolicyBuilder) -> Self {
        let renewal = Renewal::builder(self.manager.credentials());
        let policy = policy.build().unwrap();
        self.renewal = renewal.reauth_policy(policy).build().unwrap();
        self
    }

    pub(crate) fn resp3(mut self) -> Self {
        self.version = RespVersion::RESP3;
        self
    }

    /// The configuration for the server, without credentials.
    pub(crate) fn config(&self) -> Config {
        let mut config = Config::from_url(self.emulator.redis_url()).unwrap();
        config.version = self.version.clone();
        config
    }

    /// A builder whose clients reconnect at once and stay logged in.
    pub(crate) fn clients(&self) -> AuthBuilder {
        self.clients_of(self.config())
    }

    pub(crate) fn clients_of(&self, config: Config) -> AuthBuilder {
        let mut builder = Builder::from_config(config);
        builder.set_policy(at_once());
        builder.renewal(&self.renewal)
    }

    /// A client of fred's own, connected, that renewal has no part in: its password
    /// is a token that outlives the test.
    pub(crate) async fn with_a_password(&self, mut config: Config) -> Client {
        config.username = Some(self.emulator.object_id().to_owned());
        config.password = Some(self.emulator.issue_token(Duration::from_secs(3600)));
        let mut builder = Builder::from_config(config);
        let client = builder.set_policy(at_once()).build().unwrap();
        client.init().await.unwrap();
        client
    }

    /// Waits until there are `count` connections, all with the newest token.
    pub(crate) async fn settled(&self, count: usize) {
        self.until("all connections have the newest token", |bed| {
            let manager = bed.manager.status();
            let connections = self.renewal.connections();
            manager.state == ManagerState::Valid
                && connections.len() == count
                && connections.iter().all(|report| {
                    let status = &report.connection;
                    status.generation == manager.generation && status.last_error.is_none()
                })
        })
        .await;
    }

    /// Waits until there have been `count` connections, and one more for each new
    /// token, on which it was shown.
    pub(crate) async fn opened(&self, count: usize) {
        self.until("as many connections, and one a rotation", |bed| {
            let accepted = bed.emulator.redis().connections_accepted();
            accepted == (count + bed.rotations()) as u64
        })
        .await;
    }

    /// Has `client` blocked by a `BLPOP`, and waits until the server has it.
    pub(crate) async fn block(&self, client: &Client) -> JoinHandle<FredResult<(String, u64)>> {
        let before = self.emulator.redis().commands();
        let client = client.clone();
        let blocked = tokio::spawn(async move { client.blpop("queue", 0.0).await });
        self.until("it blocks", |bed| bed.emulator.redis().commands() > before)
            .await;
        blocked
    }

    pub(crate) fn replacements(&self) -> usize {
        self.count(is_replacement)
    }
}

impl Deref for Site {
    type Target = Bed;

    fn deref(&self) -> &Bed {
        &self.bed
    }
}

pub(crate) const fn is_replacement(event: &Event) -> bool {
    matches!(event, Event::Replaced { .. })
}

pub(crate) const fn is_renewal(event: &Event) -> bool {
    matches!(event, Event::Reauthenticated { .. })
}

/// Reconnects without a pause, for ever.
pub(crate) fn at_once() -> ReconnectPolicy {
    ReconnectPolicy::new_constant(0, 1)
}
