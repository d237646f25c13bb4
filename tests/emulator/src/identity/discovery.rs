//! The discovery documents that client libraries read before they ask for tokens (OpenID Connect
//! Discovery 1.0 §3; Microsoft identity platform, "OpenID Connect on the Microsoft identity
//! platform").

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::HeaderMap,
};
use serde_json::{Value, json};

use super::{IdentityState, http::Scheme};

/// `/{tenant}/v2.0/.well-known/openid-configuration`. Every address is on the
/// host that was asked: libraries compare it with their authority.
pub(crate) async fn openid_configuration(
    Path(tenant): Path<String>,
    scheme: Scheme,
    headers: HeaderMap,
    State(state): State<Arc<IdentityState>>,
) -> Json<Value> {
    let origin = format!("{}://{}", scheme.name(), host(&state, scheme, &headers));
    // Filled in for a named tenant; Entra leaves the placeholder for the others.
    let issuer_tenant = match tenant.as_str() {
        "common" | "organizations" | "consumers" => "{tenantid}",
        named => named,
    };
    Json(json!({
        "issuer": format!("{origin}/{issuer_tenant}/v2.0"),
        "authorization_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/authorize"),
        "token_endpoint": format!("{origin}/{tenant}/oauth2/v2.0/token"),
        "jwks_uri": format!("{origin}/{tenant}/discovery/v2.0/keys"),
        "token_endpoint_auth_methods_supported": [
            "client_secret_post", "private_key_jwt", "client_secret_basic"
        ],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "claims_supported": ["aud", "exp", "iat", "iss", "nbf", "oid", "sub", "tid", "uti", "ver"],
    }))
}

/// `/{tenant}/discovery/v2.0/keys`.
pub(crate) async fn keys(State(state): State<Arc<IdentityState>>) -> Json<Value> {
    Json(state.issuer.key.key_set())
}

/// `/common/discovery/instance`: this host is one cloud of its own.
pub(crate) async fn instance(
    scheme: Scheme,
    headers: HeaderMap,
    State(state): State<Arc<IdentityState>>,
) -> Json<Value> {
    let host = host(&state, scheme, &headers);
    let tenant = &state.issuer.ids.tenant;
    Json(json!({
        "tenant_discovery_endpoint": format!(
            "{}://{host}/{tenant}/v2.0/.well-known/openid-configuration",
            scheme.name()
        ),
        "api-version": "1.1",
        "metadata": [{
            "preferred_network": host,
            "preferred_cache": host,
            "aliases": [host],
        }],
    }))
}

/// The `Host` that the client used, if it is one that could be this machine.
fn host(state: &IdentityState, scheme: Scheme, headers: &HeaderMap) -> String {
    let named = headers
        .get("host")
        .and_then(|host| host.to_str().ok())
        .filter(|host| host.len() <= 255 && !host.contains(['/', '\\', '"', '<']));
    named.map_or_else(|| state.own_host(scheme), str::to_owned)
}
