//! What the grants of people have in common.

use serde_json::{Map, json};

use super::Granted;
use crate::{
    identity::{
        IdentityState,
        form::Form,
        people::{Refresh, Scopes, User, client_info},
        refusal::Refusal,
    },
    random,
};

/// People are of the one tenant, or come by a shared one.
pub(crate) fn check_user_tenant(state: &IdentityState, asked: &str) -> Result<(), Refusal> {
    let registered = &state.issuer.ids.tenant;
    let shared = ["common", "organizations"];
    if shared.contains(&asked) || asked.eq_ignore_ascii_case(registered) {
        Ok(())
    } else {
        Err(Refusal::unknown_tenant(asked))
    }
}

/// A confidential client sends its secret, a public one must not.
pub(super) fn check_secret(
    state: &IdentityState,
    form: &Form,
    confidential: bool,
) -> Result<(), Refusal> {
    match (confidential, form.get("client_secret")) {
        (true, None) => Err(Refusal::no_credential()),
        (true, Some(secret)) if secret != state.client_secret => Err(Refusal::wrong_secret()),
        (false, Some(_)) => Err(Refusal::public_client()),
        _ => Ok(()),
    }
}

/// Someone who may have tokens.
pub(super) struct SignedIn {
    pub(super) user: User,
    pub(super) confidential: bool,
    pub(super) nonce: Option<String>,
}

/// The tokens that the scopes give ("OAuth 2.0 authorization code flow", "Successful response").
pub(super) fn grant(
    state: &IdentityState,
    form: &Form,
    scopes: Scopes,
    signed_in: SignedIn,
) -> Result<Granted, Refusal> {
    let failed = || Refusal::server_error(500);
    let mut more = Map::new();
    more.insert("scope".to_owned(), json!(scopes.text));
    if scopes.has("openid") {
        let profile = scopes.has("profile").then_some(&signed_in.user);
        let nonce = signed_in.nonce.as_deref();
        let skew = state.control.skew_seconds();
        let token = state.issuer.id_token(profile, nonce, skew);
        more.insert("id_token".to_owned(), json!(token.ok_or_else(failed)?));
    }
    if form.get("client_info") == Some("1") {
        more.insert("client_info".to_owned(), json!(client_info(state)));
    }
    let (user, resource) = (signed_in.user.clone(), scopes.resource.clone());
    if scopes.has("offline_access") {
        let token = random::secret().map_err(|_| failed())?;
        more.insert("refresh_token".to_owned(), json!(token));
        let refresh = Refresh {
            user: signed_in.user,
            scopes,
            confidential: signed_in.confidential,
            nonce: signed_in.nonce,
            dead: None,
        };
        state.people.control.store().refresh.insert(token, refresh);
    }
    Ok(Granted {
        resource,
        user: Some(user),
        more,
    })
}
