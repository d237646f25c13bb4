//! Connections of redis-rs: ours, against the same client with a static
//! password.

pub(crate) mod heap;
pub(crate) mod server;

use futures::{StreamExt, stream};
use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, IntoConnectionInfo, cmd};
use redis_authx::{ConnectionStatus, Credentials, ReauthPolicy, TokenManager};
use redis_authx_redis::{AuthClient, AuthConnection};

use crate::closed_loop::OnConnection;
use crate::support::user_and_password;
use crate::throughput::{Command, KEY, VALUE};
use crate::{stagger, throughput};
use server::Server;

/// No time limit of redis-rs, which would cut off a stall of the machine.
pub(crate) fn unlimited() -> AsyncConnectionConfig {
    AsyncConnectionConfig::new()
        .set_response_timeout(None)
        .set_connection_timeout(None)
}

/// What a program without tokens has.
async fn plain(server: &Server) -> MultiplexedConnection {
    let (user, password) = user_and_password();
    let info = server.url().into_connection_info().expect("a URL");
    let settings = info.redis_settings().clone();
    let settings = settings.set_username(user).set_password(password);
    let client = Client::open(info.set_redis_settings(settings)).expect("a client");
    let config = unlimited();
    let opened = client.get_multiplexed_async_connection_with_config(&config);
    opened.await.expect("a connection")
}

fn ours(server: &Server, credentials: Credentials) -> AuthClient {
    AuthClient::open(server.url(), credentials).expect("a client")
}

async fn connect(client: &AuthClient) -> AuthConnection {
    let opened = client.multiplexed_with_config(unlimited()).await;
    opened.expect("a connection")
}

fn calling<C>(connection: C, command: Command) -> OnConnection<C> {
    let mut sent = cmd(command.name());
    sent.arg(KEY);
    if command == Command::Set {
        sent.arg(&VALUE);
    }
    OnConnection(connection, sent)
}

/// Of multiplexed connections.
pub(crate) struct Sides;

impl throughput::Sides for Sides {
    type Plain = OnConnection<MultiplexedConnection>;
    type Ours = OnConnection<AuthConnection>;

    async fn plain(server: &Server, command: Command) -> Self::Plain {
        calling(plain(server).await, command)
    }

    async fn ours(server: &Server, command: Command, credentials: Credentials) -> Self::Ours {
        calling(connect(&ours(server, credentials)).await, command)
    }
}

/// Multiplexed connections of one client.
pub(crate) struct Fleet(Vec<AuthConnection>);

impl stagger::Fleet for Fleet {
    const CONNECTIONS: usize = 1000;

    async fn open(url: &str, manager: &TokenManager) -> Self {
        let client = AuthClient::builder(url, manager.credentials())
            .reauth_policy(ReauthPolicy::default())
            .build()
            .expect("a client");
        let opened = stream::iter(0..Self::CONNECTIONS)
            .map(|_| connect(&client))
            .buffer_unordered(16);
        Self(opened.collect().await)
    }

    fn statuses(&self) -> Vec<ConnectionStatus> {
        self.0.iter().map(AuthConnection::status).collect()
    }
}
