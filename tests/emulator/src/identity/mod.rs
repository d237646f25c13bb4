//! The identity side: what the emulator needs of Microsoft Entra ID.

mod assertion;
mod control;
mod discovery;
mod fault;
mod form;
mod grant;
mod http;
pub(crate) mod issuer;
pub(crate) mod key;
mod refusal;
mod token_endpoint;
mod turn;

use std::sync::Arc;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

pub(crate) use self::assertion::{FederatedIssuer, registered::Registered};
pub use self::{control::IdentityControl, fault::Fault, issuer::TokenVersion};
use self::{http::Scheme, issuer::Issuer};
use crate::listener;

/// No request of any flow comes near this.
const LARGEST_REQUEST: usize = 256 << 10;

/// What every request handler sees.
pub(crate) struct IdentityState {
    pub(crate) issuer: Arc<Issuer>,
    pub(crate) control: Arc<IdentityControl>,
    pub(crate) client_secret: String,
    pub(crate) strict_assertions: bool,
    pub(crate) tls_port: u16,
    pub(crate) plain_port: Option<u16>,
}

impl IdentityState {
    #[cfg(test)]
    #[allow(clippy::unwrap_used)]
    fn for_tests(tenant: &str, client: &str, secret: &str) -> Self {
        let ids = issuer::Ids {
            tenant: tenant.to_owned(),
            client: client.to_owned(),
            object: "o-1".to_owned(),
        };
        let key = key::SigningKey::new().unwrap();
        Self {
            issuer: Arc::new(Issuer::new(ids, key, TokenVersion::V2, false)),
            control: Arc::new(IdentityControl::new(std::time::Duration::from_secs(3600))),
            client_secret: secret.to_owned(),
            strict_assertions: false,
            tls_port: 0,
            plain_port: None,
        }
    }

    fn own_host(&self, scheme: Scheme) -> String {
        match scheme {
            Scheme::Https => format!("localhost:{}", self.tls_port),
            Scheme::Http => format!("127.0.0.1:{}", self.plain_port.unwrap_or_default()),
        }
    }
}

/// Serves one listener until dropped; over TLS if an acceptor is given.
pub(crate) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    state: Arc<IdentityState>,
) {
    let routes = routes(Arc::clone(&state));
    listener::accept_loop(listener, |stream| {
        connection(stream, tls.clone(), routes.clone(), Arc::clone(&state))
    })
    .await;
}

async fn connection(
    stream: TcpStream,
    tls: Option<TlsAcceptor>,
    routes: Router,
    state: Arc<IdentityState>,
) {
    if state.control.is_out() {
        return;
    }
    match tls {
        None => http::serve(stream, Scheme::Http, routes, state).await,
        Some(acceptor) => {
            if let Some(stream) = listener::handshake(&acceptor, stream).await {
                http::serve(stream, Scheme::Https, routes, state).await;
            }
        }
    }
}

fn routes(state: Arc<IdentityState>) -> Router {
    let token = post(token_endpoint::token).fallback(token_endpoint::wrong_method);
    let configuration = get(discovery::openid_configuration);
    Router::new()
        .route("/{tenant}/oauth2/v2.0/token", token)
        .route(
            "/{tenant}/v2.0/.well-known/openid-configuration",
            configuration.clone(),
        )
        .route("/{tenant}/.well-known/openid-configuration", configuration)
        .route("/{tenant}/discovery/v2.0/keys", get(discovery::keys))
        .route("/common/discovery/instance", get(discovery::instance))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(state)
}
