//! The default client: ureq and rustls on a pool of blocking threads.

mod body;
mod builder;
mod failure;
mod quiet;

use std::fmt;

use async_trait::async_trait;
use ureq::Agent;
use ureq::config::Config;
use ureq::http::Request;
use url::Url;

use super::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::authority::is_loopback;
pub use builder::UreqClientBuilder;
use failure::http_error;
use quiet::Quiet;

/// HTTP/1.1 over TLS with no async runtime: [ureq](ureq) and rustls, each
/// request on a thread of the [blocking](blocking) pool.
///
/// * Trusts Mozilla's root certificates, which are compiled in, unless
///   [`root_certificate_pem`](UreqClientBuilder::root_certificate_pem) names
///   others.
/// * Uses the proxy of `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, save for
///   the hosts of `NO_PROXY`, as they stand when the client is built. A host
///   on this machine is never asked for through a proxy: the proxy would read
///   the secret of a plain `http` request.
/// * Opens a connection for each request; tokens are hours apart.
/// * Follows no redirect.
///
/// # Logging
/// `ureq_proto` writes what it reads to the [`log`] at trace level. While a
/// body is read that may hold a token, and only if a logger takes these
/// records, `log`'s maximum level is lowered to debug: some trace records of
/// other threads are lost in that moment.
///
/// # Cancel safety
/// Dropping the future shuts the connection down, so that its thread ends at
/// once. Only a host name lookup can't be cut short: its thread ends when the
/// lookup does.
#[derive(Clone)]
pub struct UreqClient {
    proxied: Config,
    direct: Config,
}

impl UreqClient {
    /// A client with the defaults of [`builder`](Self::builder).
    #[must_use]
    pub fn new() -> Self {
        UreqClientBuilder::new().finish()
    }

    /// Other time limits, or other root certificates.
    pub fn builder() -> UreqClientBuilder {
        UreqClientBuilder::new()
    }

    /// An agent for one request, since shutting an agent down is what cuts
    /// its connection.
    fn agent_for(&self, url: &str) -> Agent {
        let local = Url::parse(url).is_ok_and(|url| is_loopback(&url));
        if local { &self.direct } else { &self.proxied }.new_agent()
    }
}

impl Default for UreqClient {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for UreqClient {
    /// Leaves the proxy out: its URL may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let timeouts = self.direct.timeouts();
        f.debug_struct("UreqClient")
            .field("connect_timeout", &timeouts.connect)
            .field("timeout", &timeouts.global)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for UreqClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let agent = self.agent_for(request.url());
        let _shutdown = ShutdownOnDrop(agent.clone());
        ::blocking::unblock(move || exchange(&agent, &request)).await
    }
}

/// Cuts a request short whose future is dropped.
struct ShutdownOnDrop(Agent);

impl Drop for ShutdownOnDrop {
    fn drop(&mut self) {
        self.0.clone().shutdown();
    }
}

fn exchange(agent: &Agent, request: &HttpRequest) -> Result<HttpResponse, HttpError> {
    let mut head = Request::builder()
        .method(request.method().as_str())
        .uri(request.url());
    for (name, value) in request.headers() {
        head = head.header(name, value);
    }
    // ureq names the offending part, not its value.
    let other = |error: ureq::http::Error| HttpError::new(HttpErrorKind::Other, error);

    let mut response = {
        let _quiet = request.has_secret_header().then(Quiet::start);
        if request.body().is_empty() {
            agent.run(head.body(()).map_err(other)?)
        } else {
            agent.run(head.body(request.body()).map_err(other)?)
        }
    }
    .map_err(http_error)?;

    let mut answer = HttpResponse::new(response.status().as_u16());
    for (name, value) in response.headers() {
        if let Ok(value) = value.to_str() {
            answer = answer.with_header(name.as_str(), value);
        }
    }
    let _quiet = Quiet::start();
    Ok(answer.with_body(body::read(response.body_mut())?))
}
