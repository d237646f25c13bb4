//! HTTP/1.1 over one connection, with the means to break it off.

use std::{
    convert::Infallible,
    io,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use axum::{
    Router,
    extract::FromRequestParts,
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
};
use hyper::{
    body::Incoming,
    server::conn::http1,
    service::{Service, service_fn},
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};

use super::{IdentityState, control::IdentityControl};
use crate::{clock, listener::Stream};

/// How long a client may take to send a request's head.
const HEAD_LIMIT: Duration = Duration::from_secs(30);

/// Which listener a request came by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

impl Scheme {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Scheme {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get().copied().unwrap_or(Self::Https))
    }
}

/// An answer that is none: the connection is closed in its place.
#[derive(Clone)]
pub(crate) struct DropConnection;

impl IntoResponse for DropConnection {
    fn into_response(self) -> Response {
        let mut response = StatusCode::SERVICE_UNAVAILABLE.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

/// Serves requests until either side closes.
pub(crate) async fn serve(
    stream: impl Stream,
    scheme: Scheme,
    routes: Router,
    state: Arc<IdentityState>,
) {
    let routes = TowerToHyperService::new(routes);
    let service = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(scheme);
        let answer = routes.call(request);
        let state = Arc::clone(&state);
        async move {
            if out(&state.control) {
                return Err(broken_off());
            }
            let Ok(mut response) = answer.await;
            date(&mut response, state.control.skew_seconds());
            if response.extensions().get::<DropConnection>().is_some() {
                return Err(broken_off());
            }
            Ok(response)
        }
    });
    // An error here is a client that went away or a wanted break-off.
    let _ = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

/// By the identity service's own clock; where that is right, or says a time
/// that a `Date` can't, hyper adds one.
fn date(response: &mut Response, skew_seconds: i64) {
    let now = clock::unix_now() as i64 + skew_seconds;
    let Some(now) = u64::try_from(now).ok().filter(|_| skew_seconds != 0) else {
        return;
    };
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(now));
    if let Ok(date) = HeaderValue::try_from(date) {
        response.headers_mut().insert(header::DATE, date);
    }
}

fn out(control: &IdentityControl) -> bool {
    let out = control.is_out();
    if out {
        // Counted, since the request was read; the guard counts it as failed.
        drop(control.request_came());
    }
    out
}

fn broken_off() -> io::Error {
    io::Error::from(io::ErrorKind::ConnectionAborted)
}
