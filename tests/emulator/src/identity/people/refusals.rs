//! What is refused to people and their applications ("Microsoft Entra authentication and
//! authorization error codes").

use axum::http::StatusCode;

use crate::identity::refusal::{Refusal, short};

impl Refusal {
    pub(crate) fn several_resources(scopes: &str) -> Self {
        let text = format!(
            "The provided value for scope '{}' is not valid: it names more than one resource.",
            short(scopes)
        );
        Self::bad_request("invalid_scope", 70_011, text)
    }

    pub(crate) fn unregistered_redirect(uri: &str) -> Self {
        let text = format!(
            "The redirect URI '{}' specified in the request does not match the redirect URIs \
             configured for the application.",
            short(uri)
        );
        Self::bad_request("invalid_request", 50_011, text)
    }

    pub(crate) fn response_type(found: &str) -> Self {
        let text = format!("The response type '{}' is not supported.", short(found));
        Self::bad_request("unsupported_response_type", 70_005, text)
    }

    pub(crate) fn response_mode(found: &str) -> Self {
        let text = format!("The response mode '{}' is not supported.", short(found));
        Self::bad_request("invalid_request", 70_007, text)
    }

    pub(crate) fn challenge_size() -> Self {
        let text = "The size of the code challenge parameter is not valid.";
        Self::bad_request("invalid_request", 50_147, text.to_owned())
    }

    pub(crate) fn challenge_method() -> Self {
        let text = "The code challenge method must be S256 or plain.";
        Self::bad_request("invalid_request", 501_491, text.to_owned())
    }

    pub(crate) fn no_session() -> Self {
        let text = "Session information is not sufficient for single-sign-on.";
        Self::bad_request("login_required", 50_058, text.to_owned())
    }

    pub(crate) fn cancelled() -> Self {
        let text = "The user cancelled the sign-in.";
        Self::bad_request("access_denied", 65_004, text.to_owned())
    }

    pub(crate) fn consent_declined() -> Self {
        let text = "The user declined to consent to access the app.";
        Self::bad_request("consent_required", 65_004, text.to_owned())
    }

    pub(crate) fn unknown_grant() -> Self {
        let text = "The provided grant is not valid or is malformed.";
        Self::bad_request("invalid_grant", 70_000, text.to_owned())
    }

    pub(crate) fn code_redeemed() -> Self {
        let text = "OAuth2 Authorization code was already redeemed, please retry with a new \
                    valid code or use an existing refresh token.";
        Self::bad_request("invalid_grant", 54_005, text.to_owned())
    }

    pub(crate) fn code_expired() -> Self {
        let text = "The provided authorization code or refresh token has expired due to \
                    inactivity. Send a new interactive authorization request.";
        Self::bad_request("invalid_grant", 70_008, text.to_owned())
    }

    pub(crate) fn wrong_verifier() -> Self {
        let text = "The Code_Verifier does not match the code_challenge supplied in the \
                    authorization request.";
        Self::bad_request("invalid_grant", 501_481, text.to_owned())
    }

    pub(crate) fn public_client() -> Self {
        let text = "Client is public so neither 'client_assertion' nor 'client_secret' should be \
                    presented.";
        Self::new(
            StatusCode::UNAUTHORIZED,
            "invalid_client",
            700_025,
            text.to_owned(),
        )
    }

    /// A refresh token that worked once.
    pub(crate) fn dead_refresh_token(code: u32) -> Self {
        let text = match code {
            50_173 => {
                "The provided grant has expired due to it being revoked, a fresh auth token is needed."
            }
            _ => "The refresh token has expired due to inactivity.",
        };
        Self::bad_request("invalid_grant", code, text.to_owned())
    }

    pub(crate) fn interaction_required() -> Self {
        let text = "Due to a configuration change made by your administrator, or because you \
                    moved to a new location, you must use multi-factor authentication.";
        Self::bad_request("interaction_required", 50_076, text.to_owned())
    }

    pub(crate) fn device_pending() -> Self {
        let text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
        Self::bad_request("authorization_pending", 70_016, text.to_owned())
    }

    /// A word of RFC 8628 §3.5; whether Entra ID says it is not documented.
    pub(crate) fn device_slow_down() -> Self {
        let text = "The device polls too often.";
        Self::bad_request("slow_down", 70_016, text.to_owned())
    }

    pub(crate) fn device_declined() -> Self {
        let text = "The user declined the authorization request.";
        Self::bad_request("authorization_declined", 65_004, text.to_owned())
    }

    pub(crate) fn device_unknown() -> Self {
        let text = "The device code is not known.";
        Self::bad_request("bad_verification_code", 70_018, text.to_owned())
    }

    pub(crate) fn device_expired() -> Self {
        let text = "The device code has expired.";
        Self::bad_request("expired_token", 70_019, text.to_owned())
    }
}
