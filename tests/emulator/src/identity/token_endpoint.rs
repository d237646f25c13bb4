//! `POST /{tenant}/oauth2/v2.0/token`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    IdentityState,
    form::Form,
    grant::{self, Granted},
    issuer::Minted,
    refusal::Refusal,
    turn::Turn,
};

pub(crate) async fn token(
    State(state): State<Arc<IdentityState>>,
    Path(tenant): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let refuse = |refusal: Refusal| refusal.into_answer(state.control.plain_error_text());
    let turn = match Turn::take(&state.control, refuse).await {
        Ok(turn) => turn,
        Err(answer) => return answer,
    };
    let granted = match grant::judge(&state, &tenant, &Form::read(&headers, &body)) {
        Ok(granted) => granted,
        Err(refusal) => return refuse(refusal),
    };
    match turn.mint(&state.issuer, &granted.resource, granted.user.as_ref()) {
        Some(minted) => answer(&minted, granted, turn.padding()),
        None => refuse(Refusal::server_error(500)),
    }
}

pub(crate) async fn wrong_method(State(state): State<Arc<IdentityState>>) -> Response {
    Refusal::wrong_method().into_answer(state.control.plain_error_text())
}

/// The fields and their types as Entra sends them: the numbers are integers.
fn answer(minted: &Minted, granted: Granted, padding: Option<String>) -> Response {
    let mut body = json!({
        "token_type": "Bearer",
        "expires_in": minted.expires_in,
        "ext_expires_in": minted.expires_in,
        "access_token": minted.token,
    });
    if let Some(fields) = body.as_object_mut() {
        fields.extend(granted.more);
        fields.extend(padding.map(|padding| ("padding".to_owned(), json!(padding))));
    }
    let headers = [
        (header::CACHE_CONTROL, "no-store, no-cache"),
        (header::PRAGMA, "no-cache"),
    ];
    (headers, Json(body)).into_response()
}
