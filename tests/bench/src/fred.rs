//! Clients of fred: ours, against the same client with a static password.

use std::sync::Arc;
use std::time::Duration;

use fred::bytes::Bytes;
use fred::clients::{Client, Pool};
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use fred::types::config::{Config, ReconnectPolicy};
use redis_authx::{ConnectionStatus, Credentials, TokenManager};
use redis_authx_fred::{BuilderExt, Renewal};
use tokio::time::sleep;

use crate::closed_loop::Caller;
use crate::redis::server::Server;
use crate::support::user_and_password;
use crate::throughput::{Command, KEY, VALUE};
use crate::{stagger, throughput};

fn config(url: &str) -> Config {
    Config::from_url(url).expect("a URL")
}

/// The same for both sides.
fn builder(config: Config) -> Builder {
    let mut builder = Builder::from_config(config);
    builder.set_policy(ReconnectPolicy::new_constant(0, 1));
    builder
}

/// A client, and what is sent on it.
#[derive(Clone)]
pub(crate) struct Calling {
    client: Arc<Quit>,
    command: Command,
}

/// fred's clients go on until they are told to end.
struct Quit(Client);

impl Drop for Quit {
    fn drop(&mut self) {
        let client = self.0.clone();
        tokio::spawn(async move { client.quit().await });
    }
}

impl Caller for Calling {
    async fn call(&mut self) {
        let answer = match self.command {
            Command::Set => {
                let value = Bytes::from_static(&VALUE);
                self.client.0.set(KEY, value, None, None, false).await
            }
            Command::Get => self.client.0.get(KEY).await,
        };
        () = answer.expect("a reply");
    }
}

/// Of single clients.
pub(crate) struct Sides;

impl Sides {
    async fn calling(client: Client, command: Command) -> Calling {
        client.init().await.expect("a connection");
        let client = Arc::new(Quit(client));
        Calling { client, command }
    }
}

impl throughput::Sides for Sides {
    type Plain = Calling;
    type Ours = Calling;

    async fn plain(server: &Server, command: Command) -> Calling {
        let (user, password) = user_and_password();
        let mut config = config(&server.url());
        (config.username, config.password) = (Some(user), Some(password));
        let client = builder(config).build().expect("a client");
        Self::calling(client, command).await
    }

    async fn ours(server: &Server, command: Command, credentials: Credentials) -> Calling {
        let builder = builder(config(&server.url())).credentials(credentials);
        let client = builder.build().expect("a client");
        Self::calling(client, command).await
    }
}

/// A pool, whose clients live as long as the runtime.
pub(crate) struct Fleet {
    _pool: Pool,
    renewal: Renewal,
}

impl stagger::Fleet for Fleet {
    const CONNECTIONS: usize = 32;

    async fn open(url: &str, manager: &TokenManager) -> Self {
        let renewal = Renewal::new(manager.credentials()).expect("a runtime");
        let builder = builder(config(url)).renewal(&renewal);
        let pool = builder.build_pool(Self::CONNECTIONS).expect("a pool");
        pool.init().await.expect("connections");
        while renewal.connections().len() < Self::CONNECTIONS {
            sleep(Duration::from_millis(10)).await;
        }
        Self {
            _pool: pool,
            renewal,
        }
    }

    fn statuses(&self) -> Vec<ConnectionStatus> {
        let reports = self.renewal.connections();
        reports
            .into_iter()
            .map(|report| report.connection)
            .collect()
    }
}
