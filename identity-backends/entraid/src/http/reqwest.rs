use std::fmt;

use async_trait::async_trait;
use zeroize::Zeroizing;

use super::{
    HttpClient, HttpError, HttpErrorKind, HttpMethod, HttpRequest, HttpResponse, MAX_RESPONSE_BODY,
};

/// Sends requests through a [`reqwest::Client`] of your own: its TLS, proxies,
/// time limits and runtime. Feature `reqwest`; it brings no TLS backend.
///
/// Build the client with [`Policy::none`](reqwest::redirect::Policy::none). An
/// answer that came by a redirect is refused, but reqwest's default policy may
/// by then have sent the secret on.
///
/// reqwest can't leave its proxy out for one request. For a managed identity,
/// build the client with `no_proxy()`, or exempt the identity endpoint's host
/// (`NO_PROXY=169.254.169.254`).
///
/// # Cancel safety
/// Dropping the future drops the request.
#[derive(Clone)]
pub struct ReqwestClient(reqwest::Client);

impl ReqwestClient {
    /// Wraps a client.
    #[must_use]
    pub const fn new(client: reqwest::Client) -> Self {
        Self(client)
    }
}

impl fmt::Debug for ReqwestClient {
    /// The client's default headers may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReqwestClient").finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for ReqwestClient {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let url = request.url();
        let mut outgoing = match request.method() {
            HttpMethod::Get => self.0.get(url),
            HttpMethod::Post => self.0.post(url),
        };
        for (name, value) in request.headers() {
            outgoing = outgoing.header(name, value);
        }
        if !request.body().is_empty() {
            outgoing = outgoing.body(request.body().to_vec());
        }
        if let Some(limit) = request.time_limit() {
            outgoing = outgoing.timeout(limit);
        }
        let mut response = outgoing.send().await.map_err(http_error)?;
        if response.url().as_str() != url {
            let reason = "the client followed a redirect; build it with `Policy::none()`";
            return Err(HttpError::new(HttpErrorKind::Other, reason));
        }

        let mut answer = HttpResponse::new(response.status().as_u16());
        for (name, value) in response.headers() {
            if let Ok(value) = value.to_str() {
                answer = answer.with_header(name.as_str(), value);
            }
        }
        let mut body = Zeroizing::new(Vec::new());
        while let Some(chunk) = response.chunk().await.map_err(http_error)? {
            if body.len() + chunk.len() > MAX_RESPONSE_BODY {
                let reason = format!("a body of more than {MAX_RESPONSE_BODY} bytes");
                return Err(HttpError::new(HttpErrorKind::TooLarge, reason));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(answer.with_body(std::mem::take(&mut *body)))
    }
}

fn http_error(error: reqwest::Error) -> HttpError {
    let kind = if error.is_timeout() {
        HttpErrorKind::Timeout
    } else if error.is_connect() {
        HttpErrorKind::Connect
    } else {
        HttpErrorKind::Other
    };
    HttpError::new(kind, error)
}
