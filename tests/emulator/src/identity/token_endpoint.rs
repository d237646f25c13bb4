//! `POST /{tenant}/oauth2/v2.0/token`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::time;

use super::{
    IdentityState,
    fault::Fault,
    http::DropConnection,
    issuer::{Minted, Order},
    refusal::Refusal,
    request::{self, Registration},
};

/// The most that [`Fault::OversizedBody`] sends.
const LARGEST_BODY: usize = 64 << 20;

pub(crate) async fn token(
    State(state): State<Arc<IdentityState>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let control = &state.control;
    let guard = control.request_came();
    time::sleep(control.latency()).await;
    // Subscribed before the fault is read, so that no release is missed.
    let mut releases = control.releases();
    let mut fault = control.take_fault();
    if fault == Some(Fault::Hang) {
        let _ = releases.changed().await;
        fault = None;
    }
    if control.is_out() {
        return DropConnection.into_response();
    }
    let refuse = |refusal: Refusal| refusal.into_answer(control.plain_error_text());

    match &fault {
        Some(Fault::Throttled { retry_after }) => {
            let seconds = retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0);
            let seconds = seconds.to_string();
            let text = "Too many requests. Please retry later.";
            let headers = [
                (header::RETRY_AFTER, seconds.as_str()),
                (header::CONTENT_TYPE, "text/plain"),
            ];
            return (StatusCode::TOO_MANY_REQUESTS, headers, text).into_response();
        }
        Some(Fault::ServerError(status)) => return refuse(Refusal::server_error(*status)),
        Some(Fault::InvalidClient) => {
            return refuse(Refusal::wrong_secret(&state.issuer.ids.client));
        }
        Some(Fault::Malformed) => {
            let text = r#"{"token_type":"Bearer","expires_in":3599,"access_token":"eyJ0"#;
            return ([(header::CONTENT_TYPE, "application/json")], text).into_response();
        }
        Some(Fault::EmptyBody) => return StatusCode::OK.into_response(),
        Some(Fault::DropConnection) => return DropConnection.into_response(),
        _ => {}
    }

    let registration = Registration {
        tenant: &state.issuer.ids.tenant,
        client: &state.issuer.ids.client,
        secret: &state.client_secret,
    };
    let resource = match request::judge(&tenant, &headers, &body, &registration) {
        Ok(resource) => resource,
        Err(refusal) => return refuse(refusal),
    };
    match mint(&state, &resource, fault.as_ref()) {
        Some(minted) => {
            guard.issued();
            answer(&minted, fault.as_ref())
        }
        None => refuse(Refusal::server_error(500)),
    }
}

pub(crate) async fn wrong_method(State(state): State<Arc<IdentityState>>) -> Response {
    Refusal::wrong_method().into_answer(state.control.plain_error_text())
}

fn mint(state: &IdentityState, resource: &str, fault: Option<&Fault>) -> Option<Minted> {
    if fault == Some(&Fault::SameToken)
        && let Some(latest) = state.issuer.latest()
    {
        return Some(latest);
    }
    state.issuer.mint(&Order {
        lifetime: state.control.lifetime(),
        resource,
        skew_seconds: state.control.skew_seconds(),
        flaw: fault.and_then(Fault::flaw),
    })
}

/// The fields and their types as Entra sends them: the numbers are integers.
fn answer(minted: &Minted, fault: Option<&Fault>) -> Response {
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "ext_expires_in": minted.expires_in,
        "access_token": minted.token,
    });
    if let Some(Fault::OversizedBody(bytes)) = fault {
        body["padding"] = json!("x".repeat((*bytes).min(LARGEST_BODY)));
    }
    let headers = [
        (header::CACHE_CONTROL, "no-store, no-cache"),
        (header::PRAGMA, "no-cache"),
    ];
    (headers, Json(body)).into_response()
}
