//! A person has signed in before (RFC 6749 §6; Microsoft identity platform, "Refresh tokens in the
//! Microsoft identity platform").

use super::{
    Granted, check_client, check_user_tenant,
    user::{SignedIn, check_secret, grant},
};
use crate::identity::{
    IdentityState,
    form::Form,
    people::{Refresh, Scopes},
    refusal::Refusal,
};

/// A new refresh token comes with each answer. The old one lives on, as Entra's do, unless it is
/// set otherwise.
pub(super) fn judge(state: &IdentityState, tenant: &str, form: &Form) -> Result<Granted, Refusal> {
    check_user_tenant(state, tenant)?;
    check_client(state, tenant, form)?;
    let token = form.require("refresh_token")?;
    let (held, scopes) = held(state, tenant, form, token)?;
    state.people.control.count_refresh();
    let signed_in = SignedIn {
        user: held.user,
        confidential: held.confidential,
        nonce: held.nonce,
    };
    grant(state, form, scopes, signed_in)
}

fn held(
    state: &IdentityState,
    tenant: &str,
    form: &Form,
    token: &str,
) -> Result<(Refresh, Scopes), Refusal> {
    let control = &state.people.control;
    let mut store = control.store();
    let held = store
        .refresh
        .get_mut(token)
        .ok_or_else(Refusal::unknown_grant)?;
    check_secret(state, form, held.confidential)?;
    if let Some(code) = held.dead {
        return Err(Refusal::dead_refresh_token(code));
    }
    if control.interaction() {
        return Err(Refusal::interaction_required());
    }
    let scopes = held.scopes.or(form.get("scope"), tenant)?;
    if control.single_use() {
        held.dead = Some(50_173);
    }
    let live = Refresh {
        dead: None,
        ..held.clone()
    };
    Ok((live, scopes))
}
