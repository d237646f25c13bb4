//! The fields of a token request (RFC 6749 §4; RFC 7521 §4.2).

use std::collections::HashMap;

use axum::http::{HeaderMap, header};
use base64::{Engine, engine::general_purpose::STANDARD};
use url::form_urlencoded;

use super::refusal::Refusal;

/// The fields of a request. Those that no grant asks for are allowed, since
/// client libraries send many; an empty one is one that is not there.
#[derive(Default)]
pub(crate) struct Form(HashMap<String, String>);

impl Form {
    /// Of the body, and of HTTP Basic where the client signs in by that.
    pub(crate) fn read(headers: &HeaderMap, body: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(body).filter(|(_, value)| !value.is_empty());
        let mut fields: HashMap<_, _> = pairs
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if let Some((id, secret)) = basic_credentials(headers) {
            fields.insert("client_id".to_owned(), id);
            fields.insert("client_secret".to_owned(), secret);
        }
        Self(fields)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    pub(crate) fn require(&self, name: &str) -> Result<&str, Refusal> {
        self.get(name)
            .ok_or_else(|| Refusal::missing_parameter(name))
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

    #[test]
    fn basic_authentication_is_form_decoded() {
        let mut headers = HeaderMap::new();
        let value = format!("Basic {}", STANDARD.encode("c-1:s%2B1+%2F"));
        headers.insert(header::AUTHORIZATION, value.parse().unwrap());
        let form = Form::read(&headers, b"grant_type=client_credentials&client_id=other");
        assert_eq!(form.get("client_id"), Some("c-1"));
        assert_eq!(form.get("client_secret"), Some("s+1 /"));
        assert_eq!(form.get("grant_type"), Some("client_credentials"));
    }

    #[test]
    fn an_empty_field_is_missing() {
        let form = Form::read(&HeaderMap::new(), b"scope=&client_id=a%20b");
        assert_eq!(form.get("scope"), None);
        assert_eq!(form.require("client_id").unwrap(), "a b");
        let refusal = form.require("scope").unwrap_err();
        assert!(format!("{refusal:?}").contains("code: 900144,"));
    }
}
