//! A person has signed in with a browser (RFC 6749 §4.1.3, RFC 7636 §4.6; Microsoft identity
//! platform, "OAuth 2.0 authorization code flow").

use std::time::Instant;

use super::{
    Granted, check_client, check_user_tenant,
    user::{SignedIn, check_secret, grant},
};
use crate::identity::{
    IdentityState,
    form::Form,
    people::{Code, Scopes},
    refusal::Refusal,
};

pub(super) fn judge(state: &IdentityState, tenant: &str, form: &Form) -> Result<Granted, Refusal> {
    check_user_tenant(state, tenant)?;
    check_client(state, tenant, form)?;
    let (code, redirect_uri) = (form.require("code")?, form.require("redirect_uri")?);
    let (code, scopes) = redeem(state, tenant, form, code, redirect_uri)?;
    let signed_in = SignedIn {
        user: code.user,
        confidential: code.confidential,
        nonce: code.nonce,
    };
    grant(state, form, scopes, signed_in)
}

/// A code is good for one redemption, by who has asked for it.
fn redeem(
    state: &IdentityState,
    tenant: &str,
    form: &Form,
    code: &str,
    redirect_uri: &str,
) -> Result<(Code, Scopes), Refusal> {
    let mut store = state.people.control.store();
    let held = store
        .codes
        .get_mut(code)
        .ok_or_else(Refusal::unknown_grant)?;
    if held.redeemed {
        return Err(Refusal::code_redeemed());
    }
    if held.expires <= Instant::now() {
        return Err(Refusal::code_expired());
    }
    if held.redirect_uri != redirect_uri {
        return Err(Refusal::unregistered_redirect(redirect_uri));
    }
    check_secret(state, form, held.confidential)?;
    if let Some(challenge) = &held.challenge {
        let verifier = form.get("code_verifier").unwrap_or_default();
        if !challenge.is_met(verifier) {
            return Err(Refusal::wrong_verifier());
        }
    }
    // A request that is refused uses nothing up.
    let scopes = held.scopes.or(form.get("scope"), tenant)?;
    held.redeemed = true;
    Ok((held.clone(), scopes))
}
