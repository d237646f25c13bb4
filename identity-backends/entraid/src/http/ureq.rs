//! The default client: ureq and rustls, on threads that may block.

mod body;
mod builder;
mod failure;
mod quiet;

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use ureq::config::Config;
use ureq::http::{Request, Response};
use ureq::{Agent, AsSendBody, Body};
use url::{Host, Url};

use super::{HttpClient, HttpError, HttpErrorKind, HttpRequest, HttpResponse};
use crate::authority::is_loopback;
use crate::threads;
pub use builder::UreqClientBuilder;
pub(in crate::http) use builder::{CONNECT_TIMEOUT, TIMEOUT, USER_AGENT};
use failure::http_error;
pub(in crate::http) use failure::io_error;
use quiet::Quiet;

/// HTTP/1.1 over TLS with no async runtime: [ureq](ureq) and rustls, each
/// request on a thread of its own, of which this crate has at most 500: beyond
/// that, requests fail until one is free.
///
/// * Trusts Mozilla's root certificates, which are compiled in, unless
///   [`root_certificate_pem`](UreqClientBuilder::root_certificate_pem) names
///   others.
/// * Uses the proxy of `ALL_PROXY`, `HTTPS_PROXY` or `HTTP_PROXY`, save for
///   the hosts of `NO_PROXY`, as they stand when the client is built. A host
///   on this machine or link (127.0.0.0/8, 169.254.0.0/16) is never asked for
///   through a proxy, nor is any other where the request
///   [forbids it](HttpRequest::allows_proxy): the proxy would read the secret
///   of a plain `http` request, and is not the machine that was meant.
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
    fn agent_for(&self, request: &HttpRequest) -> Agent {
        let proxied = request.allows_proxy() && !is_near(request.url());
        if proxied { &self.proxied } else { &self.direct }.new_agent()
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
        let agent = self.agent_for(&request);
        let _shutdown = ShutdownOnDrop(agent.clone());
        threads::unblock(move || exchange(&agent, &request)).await
    }
}

/// Whether the URL's host is this machine, or one of its link (RFC 3927 §2.1),
/// where Azure's machines find their instance metadata service.
fn is_near(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| {
        let link_local = matches!(url.host(), Some(Host::Ipv4(address)) if address.is_link_local());
        link_local || is_loopback(&url)
    })
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
        let limit = request.time_limit();
        if request.body().is_empty() {
            run(agent, head.body(()).map_err(other)?, limit)
        } else {
            run(agent, head.body(request.body()).map_err(other)?, limit)
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

/// Runs a request within the agent's time limit or this one, whichever is
/// shorter.
fn run<B: AsSendBody>(
    agent: &Agent,
    request: Request<B>,
    limit: Option<Duration>,
) -> Result<Response<Body>, ureq::Error> {
    let whole = agent.config().timeouts().global;
    let shorter = limit.filter(|limit| whole.is_none_or(|whole| *limit < whole));
    match shorter {
        None => agent.run(request),
        Some(_) => {
            let request = agent.configure_request(request);
            agent.run(request.timeout_global(shorter).build())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::is_near;

    #[test]
    fn this_machine_and_its_link_are_near() {
        for url in [
            "http://localhost:40342/x",
            "http://127.0.0.1/",
            "https://[::1]:2377/",
            "http://169.254.169.254/metadata/identity/oauth2/token",
            "http://169.254.129.2:8081/msi/token",
        ] {
            assert!(is_near(url), "{url}");
        }
        for url in [
            "https://login.microsoftonline.com/common",
            "http://169.254.169.254.example.com/",
            "http://169.253.0.1/",
            "http://10.0.0.1/",
            "no URL",
        ] {
            assert!(!is_near(url), "{url}");
        }
    }
}
