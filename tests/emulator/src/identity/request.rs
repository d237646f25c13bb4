//! Reading and judging a token request (RFC 6749 §4.4.2; Microsoft identity platform, "OAuth 2.0
//! client credentials flow").

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use super::{issuer, refusal::Refusal};

/// What a request must fit.
pub(crate) struct Registration<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) client: &'a str,
    pub(crate) secret: &'a str,
}

/// The fields that are read; every other one is allowed and ignored, since
/// client libraries send many.
#[derive(Default)]
struct Fields {
    grant_type: Option<String>,
    client_id: Option<String>,
    client_secret: Option<String>,
    scope: Option<String>,
}

/// The resource that a token may be issued for.
pub(crate) fn judge(
    tenant: &str,
    headers: &HeaderMap,
    body: &[u8],
    registration: &Registration<'_>,
) -> Result<String, Refusal> {
    let mut fields = Fields::read(body);
    if let Some((id, secret)) = basic_credentials(headers) {
        fields.client_id = Some(id);
        fields.client_secret = Some(secret);
    }

    let grant = fields
        .grant_type
        .ok_or_else(|| Refusal::missing_parameter("grant_type"))?;
    if grant != "client_credentials" {
        return Err(Refusal::unsupported_grant(&grant));
    }
    let client = fields
        .client_id
        .ok_or_else(|| Refusal::missing_parameter("client_id"))?;
    check_tenant(tenant, registration.tenant)?;
    if !client.eq_ignore_ascii_case(registration.client) {
        return Err(Refusal::unknown_client(&client, tenant));
    }
    let secret = fields.client_secret.ok_or_else(Refusal::no_credential)?;
    if secret != registration.secret {
        return Err(Refusal::wrong_secret(&client));
    }
    let scope = fields
        .scope
        .ok_or_else(|| Refusal::missing_parameter("scope"))?;
    resource_of(&scope, tenant)
}

fn check_tenant(asked: &str, registered: &str) -> Result<(), Refusal> {
    match asked.to_ascii_lowercase().as_str() {
        "common" | "consumers" => Err(Refusal::needs_tenant()),
        "organizations" => Err(Refusal::no_tenant_named()),
        asked if asked == registered.to_ascii_lowercase() => Ok(()),
        _ => Err(Refusal::unknown_tenant(asked)),
    }
}

fn resource_of(scope: &str, tenant: &str) -> Result<String, Refusal> {
    let mut scopes = scope.split_ascii_whitespace();
    let resource = match (scopes.next(), scopes.next()) {
        (Some(only), None) => only.strip_suffix("/.default"),
        _ => None,
    };
    let resource = resource.ok_or_else(|| Refusal::invalid_scope(scope))?;
    if !issuer::is_redis(resource) {
        return Err(Refusal::unknown_resource(resource, tenant));
    }
    Ok(resource.to_owned())
}

impl Fields {
    fn read(body: &[u8]) -> Self {
        let mut fields = Self::default();
        for (name, value) in form_urlencoded::parse(body) {
            let field = match &*name {
                "grant_type" => &mut fields.grant_type,
                "client_id" => &mut fields.client_id,
                "client_secret" => &mut fields.client_secret,
                "scope" => &mut fields.scope,
                _ => continue,
            };
            if !value.is_empty() {
                *field = Some(value.into_owned());
            }
        }
        fields
    }
}

/// HTTP Basic with both parts form-encoded (RFC 6749 §2.3.1).
fn basic_credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    let decoded = String::from_utf8(STANDARD.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let form_decoded = |part: &str| {
        form_urlencoded::parse(part.as_bytes())
            .next()
            .map(|(name, _)| name.into_owned())
    };
    Some((form_decoded(id)?, form_decoded(secret)?))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const REGISTRATION: Registration<'static> = Registration {
        tenant: "t-1",
        client: "c-1",
        secret: "s+1 /",
    };

    fn judged(tenant: &str, fields: &[(&str, &str)]) -> Result<String, String> {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        judge(
            tenant,
            &HeaderMap::new(),
            form.finish().as_bytes(),
            &REGISTRATION,
        )
        .map_err(|refusal| format!("{refusal:?}"))
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

    #[test]
    fn basic_authentication_is_form_decoded() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode("c-1:s%2B1+%2F"));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        let body = b"grant_type=client_credentials&scope=https://redis.azure.com/.default";
        assert!(judge("t-1", &headers, body, &REGISTRATION).is_ok());
    }
}
