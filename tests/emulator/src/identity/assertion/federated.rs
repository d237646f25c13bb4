//! Microsoft identity platform, "Workload identity federation": the application
//! trusts one issuer, subject and audience.

use std::time::Duration;

use serde_json::json;

use super::{check_times, jwt::Jwt};
use crate::{
    clock,
    identity::{IdentityState, key::SigningKey, refusal::Refusal},
    random,
};

/// What Microsoft recommends, and AKS asks for.
const AUDIENCE: &str = "api://AzureADTokenExchange";
const ISSUER: &str = "https://oidc.authx-emulator.test/";
const SUBJECT: &str = "system:serviceaccount:default:authx-app";

/// The foreign issuer, such as a Kubernetes cluster is one.
pub(crate) struct FederatedIssuer;

impl FederatedIssuer {
    /// A token that lives from now for `lifetime`; empty only if the signing
    /// itself fails.
    pub(crate) fn token(key: &SigningKey, lifetime: Duration) -> String {
        let now = clock::unix_now();
        let claims = json!({
            "aud": [AUDIENCE],
            "exp": (now + lifetime.as_secs_f64()).ceil() as u64,
            "iat": now as u64,
            "iss": ISSUER,
            "jti": random::uuid(),
            "nbf": now as u64,
            "sub": SUBJECT,
        });
        key.sign(&claims).unwrap_or_default()
    }
}

pub(super) fn check(state: &IdentityState, jwt: &Jwt<'_>, now: f64) -> Result<(), Refusal> {
    let issuer = jwt.text("iss");
    if issuer != ISSUER {
        return Err(Refusal::no_federation(700_211, "issuer", issuer));
    }
    let Some(claims) = state.issuer.key.verify(jwt.whole.as_bytes()) else {
        return Err(Refusal::wrong_signature());
    };
    let subject = jwt.text("sub");
    if subject != SUBJECT {
        return Err(Refusal::no_federation(700_213, "subject", subject));
    }
    // One, or a list of them (RFC 7519 §4.1.3).
    let audience = &claims["aud"];
    if *audience != json!(AUDIENCE) && *audience != json!([AUDIENCE]) {
        let found = audience.to_string();
        return Err(Refusal::no_federation(700_212, "audience", &found));
    }
    check_times(jwt, now)
}
