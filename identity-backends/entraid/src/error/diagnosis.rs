use redis_authx::ErrorKind;

use super::codes;

const SERVER: &str = "Entra ID could not answer at the moment";

/// What kind of failure it is, and what to do about it.
///
/// The status counts first: below 400 and above 499 a body may be anyone's.
/// Then the `AADSTS` number, which says most; Microsoft may add to them, so an
/// unknown one leaves it to the error word, and that to the status.
pub(super) fn diagnose(
    status: u16,
    word: Option<&str>,
    codes: &[u32],
) -> (ErrorKind, &'static str) {
    use ErrorKind::{InvalidResponse, Misconfigured, Other, Throttled, Unavailable};

    match status {
        429 => return (Throttled, "Entra ID is throttling this application"),
        408 | 500..=599 => return (Unavailable, SERVER),
        300..=399 => {
            let advice = "a redirect, which is not followed, since the request holds a secret; a \
                          log-in page of the network, or a wrong authority";
            return (InvalidResponse, advice);
        }
        400..=499 => {}
        _ => return (InvalidResponse, "not an answer to a token request"),
    }
    codes
        .iter()
        .find_map(|code| codes::lookup(*code))
        .or_else(|| word.and_then(by_word))
        .unwrap_or(match status {
            404 | 405 => (
                Misconfigured,
                "there is no token endpoint at this URL; check the authority",
            ),
            407 => (
                Misconfigured,
                "the proxy asks for a user name and password; they belong into its URL",
            ),
            _ => (Other, "refused for a reason that this crate does not know"),
        })
}

/// RFC 6749 §5.2, OpenID Connect Core §3.1.2.6, and Microsoft Learn, "Handling
/// errors in your authentication flows".
fn by_word(word: &str) -> Option<(ErrorKind, &'static str)> {
    use ErrorKind::{Misconfigured, Rejected, Unavailable};

    Some(match word {
        "invalid_client" => (
            Rejected,
            "the application's id and the secret, certificate or assertion with it are not accepted",
        ),
        "access_denied" | "unauthorized_client" => {
            (Rejected, "the application may not sign in this way")
        }
        "invalid_grant" => (Rejected, "what the application signed in with is not valid"),
        "consent_required" | "interaction_required" | "login_required" => {
            (Rejected, codes::NEEDS_A_PERSON)
        }
        "invalid_scope" => (Misconfigured, codes::SCOPE),
        "invalid_resource" => (Misconfigured, codes::RESOURCE),
        "invalid_instance" | "invalid_tenant" => (Misconfigured, codes::TENANT),
        "invalid_request" | "unsupported_grant_type" | "unsupported_response_type" => (
            Misconfigured,
            "the request is not one that this authority serves",
        ),
        "server_error" | "temporarily_unavailable" => (Unavailable, SERVER),
        _ => return None,
    })
}
