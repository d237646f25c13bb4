//! `/{tenant}/oauth2/v2.0/devicecode`, and the page on which a person enters the code ("OAuth 2.0
//! device authorization grant flow").

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{Path, State},
    http::HeaderMap,
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{Device, DeviceState, Scopes, Store, User, page, store::DEVICE_LIFETIME};
use crate::{
    identity::{
        IdentityState,
        form::Form,
        grant::{check_client, check_user_tenant},
        http::Scheme,
        refusal::Refusal,
    },
    random,
};

/// Seconds between two polls; Entra says 5.
const INTERVAL: u64 = 1;
/// No vowels, that no word comes about; nothing that looks like another.
const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ";

pub(crate) async fn begin(
    State(state): State<Arc<IdentityState>>,
    Path(tenant): Path<String>,
    scheme: Scheme,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let form = Form::read(&headers, &body);
    let page = format!(
        "{}://{}/common/oauth2/deviceauth",
        scheme.name(),
        state.own_host(scheme)
    );
    match give_code(&state, &tenant, &form, &page) {
        Ok(answer) => Json(answer).into_response(),
        Err(refusal) => refusal.into_answer(state.control.plain_error_text()),
    }
}

fn give_code(
    state: &IdentityState,
    tenant: &str,
    form: &Form,
    page: &str,
) -> Result<Value, Refusal> {
    check_user_tenant(state, tenant)?;
    check_client(state, tenant, form)?;
    let scopes = Scopes::read(form.require("scope")?, tenant)?;
    let device_code = random::secret().map_err(|_| Refusal::server_error(500))?;
    let user_code = user_code();
    state.people.control.store().devices.insert(
        device_code.clone(),
        Device {
            user_code: user_code.clone(),
            scopes,
            state: DeviceState::Pending,
            expires: Store::device_end(),
        },
    );
    Ok(json!({
        "user_code": user_code,
        "device_code": device_code,
        "verification_uri": page,
        "expires_in": DEVICE_LIFETIME.as_secs(),
        "interval": INTERVAL,
        "message": format!(
            "To sign in, use a web browser to open the page {page} and enter the code \
             {user_code} to authenticate."
        ),
    }))
}

/// Nine letters, as Entra has them. It guards test data only.
fn user_code() -> String {
    (0..9)
        .filter_map(|_| fastrand::choice(LETTERS))
        .map(|letter| char::from(*letter))
        .collect()
}

pub(crate) async fn show(State(state): State<Arc<IdentityState>>) -> Response {
    page::device(&state.issuer.ids.client, "", None)
}

pub(crate) async fn submit(State(state): State<Arc<IdentityState>>, body: Bytes) -> Response {
    let client = &state.issuer.ids.client;
    let people = &state.people.control;
    let pressed = Form::read(&HeaderMap::new(), &body);
    let code = pressed.get("code").unwrap_or_default();
    let again = |error| page::device(client, code, Some(error));

    let mut store = people.store();
    let Some(device) = store.device(code) else {
        return again("No device waits with this code. It may have expired.");
    };
    if pressed.get("action") == Some("cancel") {
        device.state = DeviceState::Declined;
        people.count_cancelled();
        return page::done("You have cancelled", "The device has been told so.");
    }
    let Some(user) = User::new(pressed.get("username").unwrap_or_default()) else {
        return again("Enter a user name, of at most 113 characters. Any will do.");
    };
    device.state = DeviceState::Approved(user);
    people.count_sign_in();
    page::done("You have signed in", "Go back to your device.")
}
