//! `/{tenant}/oauth2/v2.0/authorize`: the sign-in page, and the redirect at its end.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::json;
use url::form_urlencoded;

use super::{
    Code, SignInAnswer, Store, User, page,
    request::{AnswerTo, Bad, Request, ResponseMode},
};
use crate::{
    identity::{IdentityState, form::Form, refusal::Refusal},
    random,
};

/// The page, or the answer where nobody is asked.
pub(crate) async fn show(
    State(state): State<Arc<IdentityState>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
) -> Response {
    let request = match read(&state, &tenant, query.as_deref()) {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    match state.people.control.answer() {
        SignInAnswer::Accept => accept(&state, request, User::someone()),
        SignInAnswer::Cancel => cancel(&state, &request.answer_to),
        SignInAnswer::Decline => decline(&state, &request.answer_to),
        SignInAnswer::Ask if request.no_prompt => {
            refuse(&state, &request.answer_to, &Refusal::no_session(), None)
        }
        SignInAnswer::Ask => {
            let hint = request.login_hint.as_deref().unwrap_or_default();
            page::sign_in(&state.issuer.ids.client, hint, None)
        }
    }
}

/// What the person pressed. The page posts to the address it came from.
pub(crate) async fn submit(
    State(state): State<Arc<IdentityState>>,
    Path(tenant): Path<String>,
    RawQuery(query): RawQuery,
    body: Bytes,
) -> Response {
    let request = match read(&state, &tenant, query.as_deref()) {
        Ok(request) => request,
        Err(answer) => return *answer,
    };
    let pressed = Form::read(&HeaderMap::new(), &body);
    if pressed.get("action") == Some("cancel") {
        return cancel(&state, &request.answer_to);
    }
    let username = pressed.get("username").unwrap_or_default();
    match User::new(username) {
        Some(user) => accept(&state, request, user),
        None => page::sign_in(
            &state.issuer.ids.client,
            username,
            Some("Enter a user name, of at most 113 characters. Any will do."),
        ),
    }
}

fn read(
    state: &IdentityState,
    tenant: &str,
    query: Option<&str>,
) -> Result<Request, Box<Response>> {
    let form = Form::read(&HeaderMap::new(), query.unwrap_or_default().as_bytes());
    Request::read(state, tenant, &form).map_err(|bad| {
        Box::new(match bad {
            Bad::Shown(refusal) => page::refused(&refusal.description(true)),
            Bad::Redirected(answer_to, refusal) => refuse(state, &answer_to, &refusal, None),
        })
    })
}

fn accept(state: &IdentityState, request: Request, user: User) -> Response {
    let Ok(code) = random::secret() else {
        return refuse(state, &request.answer_to, &Refusal::server_error(500), None);
    };
    let people = &state.people.control;
    people.count_sign_in();
    people.store().codes.insert(
        code.clone(),
        Code {
            user,
            scopes: request.scopes,
            redirect_uri: request.answer_to.redirect_uri.clone(),
            confidential: request.answer_to.confidential,
            challenge: request.challenge,
            nonce: request.nonce,
            redeemed: false,
            expires: Store::code_end(),
        },
    );
    let mut fields = vec![("code", code)];
    if request.client_info {
        fields.push(("client_info", client_info(state)));
    }
    answer(&request.answer_to, fields)
}

/// Who it is, for libraries that keep several accounts apart.
pub(crate) fn client_info(state: &IdentityState) -> String {
    let ids = &state.issuer.ids;
    URL_SAFE_NO_PAD.encode(json!({ "uid": ids.object, "utid": ids.tenant }).to_string())
}

fn cancel(state: &IdentityState, to: &AnswerTo) -> Response {
    state.people.control.count_cancelled();
    refuse(state, to, &Refusal::cancelled(), Some("cancel"))
}

fn decline(state: &IdentityState, to: &AnswerTo) -> Response {
    state.people.control.count_cancelled();
    refuse(state, to, &Refusal::consent_declined(), None)
}

/// "OAuth 2.0 authorization code flow", "Error response".
fn refuse(
    state: &IdentityState,
    to: &AnswerTo,
    refusal: &Refusal,
    subcode: Option<&str>,
) -> Response {
    let description = refusal.description(state.control.plain_error_text());
    let mut fields = vec![
        ("error", refusal.error().to_owned()),
        ("error_description", description),
    ];
    if let Some(subcode) = subcode {
        fields.push(("error_subcode", subcode.to_owned()));
    }
    answer(to, fields)
}

fn answer(to: &AnswerTo, mut fields: Vec<(&'static str, String)>) -> Response {
    fields.extend(to.state.clone().map(|state| ("state", state)));
    let separator = match to.mode {
        ResponseMode::FormPost => return page::form_post(&to.redirect_uri, &fields),
        ResponseMode::Fragment => '#',
        ResponseMode::Query if to.redirect_uri.contains('?') => '&',
        ResponseMode::Query => '?',
    };
    let mut encoded = form_urlencoded::Serializer::new(String::new());
    let location = format!(
        "{}{separator}{}",
        to.redirect_uri,
        encoded.extend_pairs(&fields).finish()
    );
    let headers = [
        (header::LOCATION, location),
        (header::CACHE_CONTROL, "no-store".to_owned()),
    ];
    (StatusCode::FOUND, headers).into_response()
}
