//! The Redis side: a gateway before a store. It judges tokens, hands everything else through, and
//! ends connections whose token has expired.

pub(crate) mod command;
mod control;
pub(crate) mod door;
mod downstream;
pub(crate) mod frame;
mod plan;
mod registry;
mod reply;
mod report;
mod rewrite;
mod session;
mod upstream;
mod verify;

use std::{future, sync::Arc, time::Duration};

use tokio::{
    io,
    net::{TcpListener, TcpStream},
    time,
};
use tokio_rustls::TlsAcceptor;

pub use self::{
    control::RedisControl, plan::Refusal, report::ConnectionRecord, verify::AuthRefusal,
};
use self::{door::Route, registry::Connection};
use crate::{
    listener::{self, Stream},
    server::Link,
};

/// How long replies may still take to come after a client has ended its requests.
const LINGER: Duration = Duration::from_secs(5);

/// Serves one listener until dropped; over TLS if an acceptor is given.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    route: Route,
    control: Arc<RedisControl>,
) {
    listener::accept_loop(listener, |stream| {
        accept(stream, tls.clone(), route.clone(), Arc::clone(&control))
    })
    .await;
}

async fn accept(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    route: Route,
    control: Arc<RedisControl>,
) {
    if control.refuses_connections() {
        return;
    }
    match tls {
        None => connection(stream, route, control).await,
        Some(acceptor) => {
            if let Some(stream) = listener::handshake(&acceptor, stream).await {
                connection(stream, route, control).await;
            }
        }
    }
}

async fn connection(client: impl Stream, route: Route, control: Arc<RedisControl>) {
    let Ok(link) = control.backend.connect(route.node).await else {
        return;
    };
    // Closes the report also when this future is dropped halfway.
    let mut open = Open {
        connection: control.registry.opened(route),
        control: Arc::clone(&control),
        expired: false,
    };
    let connection = &*open.connection;
    let Link { stream, serving } = link;
    let (client_read, client_write) = io::split(client);
    let (backend_read, backend_write) = io::split(stream);

    let requests = async {
        if upstream::run(client_read, backend_write, connection, &control)
            .await
            .is_ok()
        {
            time::sleep(LINGER).await;
        }
    };
    let replies = downstream::run(backend_read, client_write, connection, &control);
    // The store may end first, after QUIT; its last replies are still to come.
    let store = async {
        serving.await;
        future::pending().await
    };
    open.expired = tokio::select! {
        () = requests => false,
        _ = replies => false,
        () = connection.kill.notified() => false,
        () = expiry(connection) => true,
        () = store => false,
    };
}

/// Ends when the token has expired that the connection lives on.
async fn expiry(connection: &Connection) {
    loop {
        let login = connection.session().login();
        match login {
            None => connection.login_changed.notified().await,
            Some(login) => tokio::select! {
                () = time::sleep_until(login.ends.into()) => return,
                () = connection.login_changed.notified() => {}
            },
        }
    }
}

struct Open {
    connection: Arc<Connection>,
    control: Arc<RedisControl>,
    expired: bool,
}

impl Drop for Open {
    fn drop(&mut self) {
        if self.expired {
            self.control.counters.expired();
        }
        self.control.registry.closed(&self.connection, self.expired);
    }
}
