//! fred with its own credential refresh, and with this project.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fred::clients::{Client, SubscriberClient};
use fred::error::{Error, ErrorKind};
use fred::interfaces::ClientLike;
use fred::types::Builder;
use fred::types::config::{Config, CredentialProvider, ReconnectPolicy, Server};
use redis_authx::{IdentityProvider, Moment, Token, TokenRequest, async_trait};
use redis_authx_emulator::Emulator;
use redis_authx_fred::{AuthSubscriber, BuilderExt, Renewal};
use redis_authx_tokio::Tokio;
use tokio::sync::Mutex;

use super::credential::LIMIT;
use super::plan::Plan;
use super::redis_clients::start_manager;
use super::situation::Side;

/// Either side, as a program would set it up.
pub(crate) enum FredContestant {
    BuiltIn(Arc<OwnRefresh>, Config),
    Ours(Renewal, Config),
}

impl FredContestant {
    /// Signs in at `emulator` and logs in to the Redis at `url`. Inside a
    /// runtime.
    pub(crate) fn start(side: Side, emulator: &Emulator, url: &str, plan: Plan) -> Self {
        let identity = Arc::new(emulator.client_secret_identity().expect("an identity"));
        let config = Config::from_url(url).expect("a URL");
        match side {
            Side::BuiltIn => Self::BuiltIn(Arc::new(OwnRefresh::new(identity, plan)), config),
            Side::Ours => {
                let manager = start_manager(identity, plan);
                let renewal = Renewal::new(manager.credentials()).expect("a runtime");
                Self::Ours(renewal, config)
            }
        }
    }

    /// A client that reconnects at once and for ever, not yet connected.
    ///
    /// # Panics
    /// When fred does not take the settings.
    pub(crate) fn client(&self) -> Client {
        let built = match self {
            Self::BuiltIn(provider, config) => builder(Self::with(provider, config)).build(),
            Self::Ours(renewal, config) => builder(config.clone()).renewal(renewal).build(),
        };
        built.expect("a client")
    }

    /// One that is connected.
    pub(crate) async fn connected(&self) -> Client {
        let client = self.client();
        client.init().await.expect("a connection");
        client
    }

    /// What each side has for pub/sub, not yet connected.
    ///
    /// # Panics
    /// When fred does not take the settings.
    pub(crate) fn subscriber(&self) -> FredSubscriber {
        match self {
            Self::BuiltIn(provider, config) => {
                let built = builder(Self::with(provider, config)).build_subscriber_client();
                FredSubscriber::BuiltIn(built.expect("a client"))
            }
            Self::Ours(renewal, config) => {
                let built = builder(config.clone()).renewal(renewal).build_subscriber();
                FredSubscriber::Ours(built.expect("a client"))
            }
        }
    }

    fn with(provider: &Arc<OwnRefresh>, config: &Config) -> Config {
        let mut config = config.clone();
        config.credential_provider = Some(Arc::<OwnRefresh>::clone(provider));
        config
    }
}

/// A subscriber of either side.
pub(crate) enum FredSubscriber {
    BuiltIn(SubscriberClient),
    Ours(AuthSubscriber),
}

impl fmt::Debug for FredContestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FredContestant").finish_non_exhaustive()
    }
}

fn builder(config: Config) -> Builder {
    let mut builder = Builder::from_config(config);
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    builder
}

/// What a program gives fred: a provider with a refresh interval, by which fred
/// sends each connection's `AUTH` again. Connections that ask at nearly the same
/// time share a token, as they do with an identity library that keeps the last
/// one.
#[derive(Debug)]
pub(crate) struct OwnRefresh {
    identity: Arc<dyn IdentityProvider>,
    interval: Duration,
    last: Mutex<Option<(Token, Instant)>>,
}

impl OwnRefresh {
    /// Refreshed when our side would, which by default is at three quarters of
    /// a token's life.
    fn new(identity: Arc<dyn IdentityProvider>, plan: Plan) -> Self {
        let interval = plan.renewed_after.unwrap_or(plan.lifetime * 3 / 4);
        Self {
            identity,
            interval,
            last: Mutex::default(),
        }
    }
}

fn is_valid(token: &Token) -> bool {
    let left = token.time_left(Moment::now(&Tokio));
    left.is_none_or(|left| !left.is_zero())
}

#[async_trait]
impl CredentialProvider for OwnRefresh {
    async fn fetch(
        &self,
        _server: Option<&Server>,
    ) -> Result<(Option<String>, Option<String>), Error> {
        let mut last = self.last.lock().await;
        let token = match &*last {
            Some((token, at)) if at.elapsed() < self.interval / 2 && is_valid(token) => {
                token.clone()
            }
            _ => {
                let request = TokenRequest::new(&Tokio, LIMIT);
                let requested = self.identity.request_token(&request).await;
                let failed = |error| Error::new(ErrorKind::Auth, format!("no token: {error}"));
                let token = requested.map_err(failed)?;
                *last = Some((token.clone(), Instant::now()));
                token
            }
        };
        let user = token.username().to_owned();
        Ok((Some(user), Some(token.password().to_owned())))
    }

    fn refresh_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }
}
