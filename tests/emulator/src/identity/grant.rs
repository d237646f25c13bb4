//! Which requests get a token: a file a grant.

mod authorization_code;
mod client_credentials;
mod device_code;
mod refresh_token;
mod user;

use serde_json::{Map, Value};

pub(crate) use self::user::check_user_tenant;
use super::{IdentityState, form::Form, issuer, people::User, refusal::Refusal};

/// A request that gets a token.
#[derive(Debug)]
pub(crate) struct Granted {
    /// What the token is for.
    pub(crate) resource: String,
    /// Who signed in, where it is a person.
    pub(crate) user: Option<User>,
    /// Further fields of the answer.
    pub(crate) more: Map<String, Value>,
}

/// Judges a request to the token endpoint of `tenant`.
pub(crate) fn judge(state: &IdentityState, tenant: &str, form: &Form) -> Result<Granted, Refusal> {
    match form.require("grant_type")? {
        "authorization_code" => authorization_code::judge(state, tenant, form),
        "client_credentials" => client_credentials::judge(state, tenant, form),
        "refresh_token" => refresh_token::judge(state, tenant, form),
        "urn:ietf:params:oauth:grant-type:device_code" => device_code::judge(state, tenant, form),
        other => Err(Refusal::unsupported_grant(other)),
    }
}

/// The client, if it is the one that is registered.
pub(crate) fn check_client<'a>(
    state: &IdentityState,
    tenant: &str,
    form: &'a Form,
) -> Result<&'a str, Refusal> {
    let client = form.require("client_id")?;
    if client.eq_ignore_ascii_case(&state.issuer.ids.client) {
        Ok(client)
    } else {
        Err(Refusal::unknown_client(client, tenant))
    }
}

/// The resource of a `.default` scope, if it is one that tokens are issued for.
fn redis_resource<'a>(scope: &'a str, tenant: &str) -> Result<&'a str, Refusal> {
    let resource = scope
        .strip_suffix("/.default")
        .ok_or_else(|| Refusal::invalid_scope(scope))?;
    if issuer::is_redis(resource) {
        Ok(resource)
    } else {
        Err(Refusal::unknown_resource(resource, tenant))
    }
}
