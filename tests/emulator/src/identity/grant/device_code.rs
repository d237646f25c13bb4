//! A device asks whether its person has signed in (RFC 8628 §3.4; Microsoft identity platform,
//! "OAuth 2.0 device authorization grant flow").

use std::time::Instant;

use super::{
    Granted, check_client, check_user_tenant,
    user::{SignedIn, check_secret, grant},
};
use crate::identity::{
    IdentityState,
    form::Form,
    people::{DeviceState, Scopes, User},
    refusal::Refusal,
};

pub(super) fn judge(state: &IdentityState, tenant: &str, form: &Form) -> Result<Granted, Refusal> {
    check_user_tenant(state, tenant)?;
    check_client(state, tenant, form)?;
    check_secret(state, form, false)?;
    let (user, scopes) = redeem(state, tenant, form)?;
    let signed_in = SignedIn {
        user,
        confidential: false,
        nonce: None,
    };
    grant(state, form, scopes, signed_in)
}

fn redeem(state: &IdentityState, tenant: &str, form: &Form) -> Result<(User, Scopes), Refusal> {
    let code = form.require("device_code")?;
    let control = &state.people.control;
    let slow_down = control.take_slow_down();
    let mut store = control.store();
    let device = store
        .devices
        .get_mut(code)
        .ok_or_else(Refusal::device_unknown)?;
    if device.expires <= Instant::now() {
        return Err(Refusal::device_expired());
    }
    if slow_down {
        return Err(Refusal::device_slow_down());
    }
    match &device.state {
        DeviceState::Pending => Err(Refusal::device_pending()),
        DeviceState::Declined => Err(Refusal::device_declined()),
        DeviceState::Approved(user) => {
            let scopes = device.scopes.or(form.get("scope"), tenant)?;
            let signed_in = (user.clone(), scopes);
            // For one redemption, as a code is.
            device.expires = Instant::now();
            Ok(signed_in)
        }
    }
}
