//! What each source's answers look like.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::{
    clock,
    identity::{IdentityState, issuer::Minted},
    random,
};

/// A family of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// "How to use managed identities for App Service and Azure Functions",
    /// REST endpoint reference.
    AppService,
    /// "How to use managed identities for Azure resources on an Azure VM to
    /// acquire an access token"; Azure Arc's agent and Cloud Shell are alike.
    Imds,
    /// "How to leverage a Service Fabric application's managed identity to
    /// access Azure services".
    ServiceFabric,
}

impl Shape {
    /// A token, as texts throughout. `token_type` and `resource` are always
    /// there, since clients insist. `None` only for a token that this emulator
    /// did not sign.
    pub(super) fn reply(
        self,
        state: &IdentityState,
        minted: &Minted,
        resource: &str,
        padding: Option<String>,
    ) -> Option<Response> {
        // Of the token itself, so that one given again keeps its dates.
        let claims = state.issuer.key.verify(minted.token.as_bytes())?;
        let (start, end) = (claims["nbf"].as_i64()?, claims["exp"].as_f64()?);
        let now = clock::unix_now() + state.control.skew_seconds() as f64;
        let expires_in = ((end - now).max(0.0) as u64).to_string();
        let end = end as i64;

        let mut body = json!({
            "access_token": minted.token,
            "resource": resource,
            "token_type": "Bearer",
            "expires_on": if state.control.numeric_expires_on() {
                json!(end)
            } else {
                json!(end.to_string())
            },
        });
        if self != Self::ServiceFabric {
            body["client_id"] = json!(state.issuer.ids.client);
            body["not_before"] = json!(start.to_string());
        }
        if self == Self::Imds {
            body["refresh_token"] = json!("");
            body["ext_expires_in"] = json!(expires_in);
            body["expires_in"] = json!(expires_in);
        }
        if let Some(padding) = padding {
            body["padding"] = json!(padding);
        }
        Some(([(header::CACHE_CONTROL, "no-store")], Json(body)).into_response())
    }

    pub(super) fn refuse(self, problem: &Problem) -> Response {
        let (status, body) = match self {
            Self::AppService => app_service(problem),
            Self::Imds => imds(problem),
            Self::ServiceFabric => service_fabric(problem),
        };
        (status, Json(body)).into_response()
    }
}

fn imds(problem: &Problem) -> (StatusCode, Value) {
    let bad = StatusCode::BAD_REQUEST;
    let (status, error, text) = match problem {
        Problem::IdentityNotFound => (bad, "invalid_request", "Identity not found"),
        Problem::MissingMetadata => (
            bad,
            "bad_request_102",
            "Required metadata header not specified",
        ),
        Problem::MissingResource => (
            bad,
            "invalid_request",
            "Required query variable 'resource' is missing",
        ),
        Problem::UnknownResource => (
            bad,
            "invalid_resource",
            "AADSTS50001: The application named in the request was not found in the tenant.\r\n\
             Trace ID: none",
        ),
        Problem::UnknownVersion => (
            bad,
            "invalid_request",
            "Bad request. api-version is invalid",
        ),
        Problem::WrongSecret => (StatusCode::UNAUTHORIZED, "unknown_source", "Unknown Source"),
        Problem::Status(status) => (
            *status,
            "unknown",
            "Failed to retrieve token from the active directory. For details see logs.",
        ),
    };
    (status, json!({ "error": error, "error_description": text }))
}

fn app_service(problem: &Problem) -> (StatusCode, Value) {
    let bad = StatusCode::BAD_REQUEST;
    let (status, text) = match problem {
        Problem::IdentityNotFound => (
            bad,
            "No Managed Identity found for specified ClientId/ResourceId/PrincipalId.",
        ),
        Problem::MissingMetadata => (bad, "The Metadata header is missing."),
        Problem::MissingResource => (bad, "The parameter 'resource' is required."),
        // As it is observed: not the caller's fault, by its status.
        Problem::UnknownResource => (
            StatusCode::INTERNAL_SERVER_ERROR,
            "ExceptionMessage: AADSTS500011: The resource principal was not found in the tenant.",
        ),
        Problem::UnknownVersion => (bad, "The api-version is not supported."),
        Problem::WrongSecret => (
            StatusCode::UNAUTHORIZED,
            "The secret header is missing or wrong.",
        ),
        Problem::Status(status) => (*status, "An error occurred while getting the token."),
    };
    let body = json!({
        "statusCode": status.as_u16(),
        "message": text,
        "correlationId": random::uuid(),
    });
    (status, body)
}

fn service_fabric(problem: &Problem) -> (StatusCode, Value) {
    let bad = StatusCode::BAD_REQUEST;
    let (status, code, text) = match problem {
        Problem::IdentityNotFound => (
            StatusCode::NOT_FOUND,
            "ManagedIdentityNotFound",
            "No managed identity was found for the application.",
        ),
        Problem::MissingMetadata | Problem::MissingResource | Problem::UnknownResource => (
            bad,
            "ArgumentNullOrEmpty",
            "The parameter 'resource' should not be null or an empty string.",
        ),
        Problem::UnknownVersion => (
            bad,
            "InvalidApiVersion",
            "The api-version is not supported.",
        ),
        Problem::WrongSecret => (
            StatusCode::UNAUTHORIZED,
            "SecretHeaderNotFound",
            "The header 'Secret' was not found in the request, or is wrong.",
        ),
        Problem::Status(status) => (
            *status,
            "InternalServerError",
            "An internal error occurred.",
        ),
    };
    let body = json!({ "error": {
        "correlationId": random::uuid(),
        "code": code,
        "message": text,
    }});
    (status, body)
}
