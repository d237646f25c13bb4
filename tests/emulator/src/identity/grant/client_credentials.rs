//! An application signs in by itself (RFC 6749 §4.4; Microsoft identity platform, "OAuth 2.0 client
//! credentials flow").

use serde_json::Map;

use super::{Granted, check_client, redis_resource};
use crate::identity::{IdentityState, assertion, form::Form, refusal::Refusal};

pub(super) fn judge(state: &IdentityState, tenant: &str, form: &Form) -> Result<Granted, Refusal> {
    form.require("client_id")?;
    check_tenant(tenant, &state.issuer.ids.tenant)?;
    let client = check_client(state, tenant, form)?;
    if form.get("client_assertion").is_some() {
        assertion::check(state, tenant, client, form)?;
    } else {
        check_secret(state, form)?;
    }
    Ok(Granted {
        resource: resource(form, tenant)?,
        more: Map::new(),
    })
}

fn check_secret(state: &IdentityState, form: &Form) -> Result<(), Refusal> {
    match form.get("client_secret") {
        None => Err(Refusal::no_credential()),
        Some(secret) if secret == state.client_secret => Ok(()),
        Some(_) => Err(Refusal::wrong_secret()),
    }
}

/// No application is of a shared tenant.
fn check_tenant(asked: &str, registered: &str) -> Result<(), Refusal> {
    match asked.to_ascii_lowercase().as_str() {
        "common" | "consumers" => Err(Refusal::needs_tenant()),
        "organizations" => Err(Refusal::no_tenant_named()),
        asked if asked == registered.to_ascii_lowercase() => Ok(()),
        _ => Err(Refusal::unknown_tenant(asked)),
    }
}

/// One resource, and nothing beside it.
fn resource(form: &Form, tenant: &str) -> Result<String, Refusal> {
    let scope = form.require("scope")?;
    let mut scopes = scope.split_ascii_whitespace();
    match (scopes.next(), scopes.next()) {
        (Some(only), None) => redis_resource(only, tenant).map(str::to_owned),
        _ => Err(Refusal::invalid_scope(scope)),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use axum::http::HeaderMap;
    use url::form_urlencoded;

    use super::*;
    use crate::identity::grant::judge as judge_grant;

    fn judged(tenant: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        let form = Form::read(&HeaderMap::new(), form.finish().as_bytes());
        match judge_grant(
            &IdentityState::for_tests("t-1", "c-1", "s+1 /"),
            tenant,
            &form,
        ) {
            Ok(granted) => Ok(granted.resource),
            Err(refusal) => Err(format!("{refusal:?}")),
        }
    }

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("client_info", "1"),
            ("grant_type", "client_credentials"),
            ("client_id", "C-1"),
            ("client_secret", "s+1 /"),
            ("scope", "https://redis.azure.com/.default"),
        ]
    }

    fn with(name: &str, value: &'static str) -> Vec<(&'static str, &'static str)> {
        good()
            .into_iter()
            .map(|(n, v)| if n == name { (n, value) } else { (n, v) })
            .collect()
    }

    #[test]
    fn a_good_request_names_its_resource() {
        assert_eq!(judged("T-1", &good()), Ok("https://redis.azure.com".into()));
        let by_id = "acca5fbb-b7e4-4009-81f1-37e38fd66d78/.default";
        assert_eq!(judged("t-1", &with("scope", by_id)), Ok(by_id[..36].into()));
    }

    #[test]
    fn each_mistake_has_its_number() {
        for (tenant, fields, code) in [
            ("t-1", with("grant_type", "password"), "70003"),
            ("t-1", with("grant_type", ""), "900144"),
            ("t-1", with("client_id", ""), "900144"),
            ("t-1", with("client_id", "c-2"), "700016"),
            ("t-1", with("client_secret", "s 1 /"), "7000215"),
            ("t-1", with("client_secret", ""), "7000218"),
            ("t-1", with("scope", ""), "900144"),
            ("t-1", with("scope", "https://redis.azure.com"), "70011"),
            (
                "t-1",
                with("scope", "https://redis.azure.com/.default a/.default"),
                "70011",
            ),
            (
                "t-1",
                with("scope", "https://graph.microsoft.com/.default"),
                "500011",
            ),
            ("t-2", good(), "90002"),
            ("common", good(), "9001023"),
            ("organizations", good(), "50059"),
        ] {
            let refusal = judged(tenant, &fields).unwrap_err();
            assert!(
                refusal.contains(&format!("code: {code},")),
                "{code}: {refusal}"
            );
        }
    }
}
