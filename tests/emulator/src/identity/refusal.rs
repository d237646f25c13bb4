//! The error answers of the token endpoint, in the form of "Microsoft Entra authentication and
//! authorization error codes" and RFC 6749 §5.2.

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{clock, random};

/// An error answer: the OAuth word, the AADSTS number and a text for people.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    error: &'static str,
    code: u32,
    text: String,
}

impl Refusal {
    fn new(status: StatusCode, error: &'static str, code: u32, text: String) -> Self {
        Self {
            status,
            error,
            code,
            text,
        }
    }

    fn bad_request(error: &'static str, code: u32, text: String) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error, code, text)
    }

    fn unauthorized(code: u32, text: String) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "invalid_client", code, text)
    }

    pub(crate) fn missing_parameter(name: &str) -> Self {
        let text = format!("The request body must contain the following parameter: '{name}'.");
        Self::bad_request("invalid_request", 900_144, text)
    }

    pub(crate) fn unsupported_grant(grant: &str) -> Self {
        let text = format!(
            "The app requested an unsupported grant type '{}'.",
            short(grant)
        );
        Self::bad_request("unsupported_grant_type", 70_003, text)
    }

    pub(crate) fn unknown_client(client: &str, tenant: &str) -> Self {
        let text = format!(
            "Application with identifier '{}' was not found in the directory '{}'.",
            short(client),
            short(tenant)
        );
        Self::bad_request("unauthorized_client", 700_016, text)
    }

    pub(crate) fn wrong_secret() -> Self {
        let text = "Invalid client secret provided. Send the secret's value, not its id.";
        Self::unauthorized(7_000_215, text.to_owned())
    }

    pub(crate) fn no_credential() -> Self {
        let text = "The request body must contain 'client_assertion' or 'client_secret'.";
        Self::unauthorized(7_000_218, text.to_owned())
    }

    /// The text says what is wrong with the assertion, never what is in it.
    pub(crate) fn bad_assertion(problem: &str) -> Self {
        let text = format!("JWT token is invalid or malformed: {problem}.");
        Self::bad_request("invalid_request", 50_027, text)
    }

    pub(crate) fn assertion_claim(claim: &str, wanted: &str) -> Self {
        let text = format!("Assertion is not valid: its '{claim}' is not {wanted}.");
        Self::unauthorized(50_013, text)
    }

    pub(crate) fn assertion_out_of_time() -> Self {
        let text = "Client assertion is not within its valid time range.";
        Self::unauthorized(700_024, text.to_owned())
    }

    pub(crate) fn unknown_certificate(thumbprint: &str) -> Self {
        let text = format!(
            "The certificate with the thumbprint '{}' is not registered for the application.",
            short(thumbprint)
        );
        Self::unauthorized(700_027, text)
    }

    pub(crate) fn wrong_signature() -> Self {
        let text = "Client assertion failed signature validation.";
        Self::unauthorized(700_027, text.to_owned())
    }

    /// `what` is the claim that no federated credential has.
    pub(crate) fn no_federation(code: u32, what: &str, found: &str) -> Self {
        let text = format!(
            "No matching federated identity record found for presented assertion {what} '{}'.",
            short(found)
        );
        Self::unauthorized(code, text)
    }

    /// The answer that a number comes with, where a fault wants it.
    pub(crate) fn numbered(code: u32) -> Self {
        let text = "The emulator was told to answer so.".to_owned();
        match code {
            700_016 => Self::bad_request("unauthorized_client", code, text),
            70_011 => Self::bad_request("invalid_scope", code, text),
            500_011 => Self::bad_request("invalid_resource", code, text),
            50_012
            | 50_013
            | 70_021
            | 70_025
            | 500_133
            | 700_024
            | 700_027
            | 700_030
            | 700_211..=700_213
            | 700_229
            | 7_000_112
            | 7_000_215
            | 7_000_218
            | 7_000_222 => Self::unauthorized(code, text),
            65_001 | 70_000 | 70_008 | 70_043 | 700_082 | 700_084 => {
                Self::bad_request("invalid_grant", code, text)
            }
            50_072 | 50_074 | 50_076 | 50_079 | 53_003 => {
                Self::bad_request("interaction_required", code, text)
            }
            _ => Self::bad_request("invalid_request", code, text),
        }
    }

    pub(crate) fn unknown_tenant(tenant: &str) -> Self {
        let text = format!("Tenant '{}' not found. Check the tenant id.", short(tenant));
        Self::bad_request("invalid_request", 90_002, text)
    }

    pub(crate) fn needs_tenant() -> Self {
        let text = "The grant type is not served on /common or /consumers. Use the endpoint of a \
                    tenant.";
        Self::bad_request("invalid_request", 9_001_023, text.to_owned())
    }

    pub(crate) fn no_tenant_named() -> Self {
        let text = "No tenant is named in the request, and the credentials imply none.";
        Self::bad_request("invalid_request", 50_059, text.to_owned())
    }

    pub(crate) fn invalid_scope(scope: &str) -> Self {
        let text = format!(
            "The provided value for scope '{}' is not valid. With client credentials the scope \
             must be one resource with the suffix /.default.",
            short(scope)
        );
        Self::bad_request("invalid_scope", 70_011, text)
    }

    pub(crate) fn unknown_resource(resource: &str, tenant: &str) -> Self {
        let text = format!(
            "The resource principal named {} was not found in the tenant named {}.",
            short(resource),
            short(tenant)
        );
        Self::bad_request("invalid_resource", 500_011, text)
    }

    pub(crate) fn wrong_method() -> Self {
        let text = "The endpoint only accepts POST requests.";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "invalid_request",
            900_561,
            text.to_owned(),
        )
    }

    pub(crate) fn server_error(status: u16) -> Self {
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let error = if status == StatusCode::SERVICE_UNAVAILABLE {
            "temporarily_unavailable"
        } else {
            "server_error"
        };
        let text = "A transient error has occurred. Please try again.";
        Self::new(status, error, 90_033, text.to_owned())
    }

    /// The answer. Real texts go on after a CR LF; `plain_text` leaves that off
    /// for clients whose JSON reader can't take an escape.
    pub(crate) fn into_answer(self, plain_text: bool) -> Response {
        let (trace, correlation) = (random::uuid(), random::uuid());
        let timestamp = clock::timestamp(clock::unix_now());
        let separator = if plain_text { " " } else { "\r\n" };
        let description = [
            format!("AADSTS{}: {}", self.code, self.text),
            format!("Trace ID: {trace}"),
            format!("Correlation ID: {correlation}"),
            format!("Timestamp: {timestamp}"),
        ]
        .join(separator);
        let body = json!({
            "error": self.error,
            "error_description": description,
            "error_codes": [self.code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={}", self.code),
        });
        (self.status, Json(body)).into_response()
    }
}

/// Enough of a foreign value to recognise it: someone may have put a secret in
/// the wrong field.
fn short(value: &str) -> String {
    const SHOWN: usize = 80;
    if value.chars().count() <= SHOWN {
        value.to_owned()
    } else {
        value.chars().take(SHOWN).chain("…".chars()).collect()
    }
}
