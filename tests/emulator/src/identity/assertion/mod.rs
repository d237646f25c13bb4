//! A client that signs in by a JWT in place of a secret (RFC 7523 §2.2): one
//! that it has signed with a registered certificate, or one of another issuer
//! that it federates with.
//!
//! Read with the tolerance that the official libraries need, which differ in
//! much, or, with [`EmulatorBuilder::strict_assertions`](crate::EmulatorBuilder::strict_assertions),
//! as the documents have it.

mod by_certificate;
mod federated;
mod jwt;
pub(crate) mod registered;
#[cfg(test)]
mod tests;

use super::{IdentityState, form::Form, refusal::Refusal};
use crate::clock;
pub(crate) use federated::FederatedIssuer;
use jwt::Jwt;

const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// How far clocks may differ. Entra's own limit is not documented; five
/// minutes are what such services allow.
const SKEW: f64 = 300.0;

/// Judges the `client_assertion` of a request, which has one, by `client` to
/// the token endpoint of `tenant`.
pub(crate) fn check(
    state: &IdentityState,
    tenant: &str,
    client: &str,
    form: &Form,
) -> Result<(), Refusal> {
    if form.require("client_assertion_type")? != TYPE {
        return Err(Refusal::bad_assertion("client_assertion_type is not known"));
    }
    let jwt = Jwt::read(form.require("client_assertion")?)?;
    let now = clock::unix_now() + state.control.skew_seconds() as f64;
    if jwt.is_of_a_certificate() {
        by_certificate::check(state, tenant, client, &jwt, now)
    } else {
        federated::check(state, &jwt, now)
    }
}

/// Whether the assertion is good now. Fractions of a second are allowed (RFC
/// 7519 §2), `nbf` and `iat` need not be there.
fn check_times(jwt: &Jwt<'_>, now: f64) -> Result<(), Refusal> {
    let expired = match jwt.number("exp") {
        Some(end) => end <= now - SKEW,
        None => return Err(Refusal::bad_assertion("it has no exp")),
    };
    let early = |claim| jwt.number(claim).is_some_and(|start| start > now + SKEW);
    if expired || early("nbf") || early("iat") {
        return Err(Refusal::assertion_out_of_time());
    }
    Ok(())
}
