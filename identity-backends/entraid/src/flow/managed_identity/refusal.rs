//! What an answer that is no token means, by source.

use std::time::Duration;

use redis_authx::ErrorKind::{
    self, InvalidResponse, Misconfigured, NotConfigured, Other, Rejected, Throttled, Unavailable,
};
use redis_authx::ProviderError;

use super::source::ManagedIdentitySource::{
    self, AppService, AzureArc, ServiceFabric, VirtualMachine,
};
use crate::error::{Answer, codes};
use crate::http::HttpResponse;

const BUSY: &str = "the managed identity endpoint could not answer at the moment";
const THROTTLED: &str = "the managed identity endpoint is throttling this machine";
const ABSENT: &str = "there is no managed identity endpoint at this address; check the variables \
     of the environment, or name the source with `ManagedIdentity::source`";
const IDENTITY: &str = "the identity is not assigned to this machine or application, or none is; \
     assign it in Azure, and check the id that was given";
const SECRET: &str = "the endpoint does not accept the secret of the environment's variables; they \
     may be left over from another process";
const HEADER: &str = "a header that the endpoint wants did not reach it; something between removes \
     it, or the endpoint is another source's";
const REQUEST: &str = "the endpoint does not take this request; it may be another source's";

/// The first wait that the page on IMDS recommends for 404 and 429 (0, 2, 6,
/// 14, 30 s); the token manager's backoff goes on from there.
const FIRST_WAIT: Duration = Duration::from_secs(2);
/// "Wait at least 1 second" after a 5xx.
const SERVER_WAIT: Duration = Duration::from_secs(1);
/// IMDS is being updated at 410, for up to 70 s. Seven tries, ten seconds
/// apart, is what MSAL makes of that.
const UPDATE_WAIT: Duration = Duration::from_secs(10);

/// What a status other than 200 means. An identity that is `optional` and was
/// not assigned is a source that is not set up.
pub(super) fn refusal(
    source: ManagedIdentitySource,
    optional: bool,
    reply: &HttpResponse,
) -> ProviderError {
    let answer = Answer::read(reply);
    let (kind, advice) = match diagnose(source, reply.status(), &answer) {
        (Misconfigured, IDENTITY) if optional => (NotConfigured, IDENTITY),
        diagnosed => diagnosed,
    };
    let wait = match reply.status() {
        404 | 429 if source == VirtualMachine => Some(FIRST_WAIT),
        410 => Some(UPDATE_WAIT),
        500..=599 => Some(SERVER_WAIT),
        _ => None,
    };
    let error = answer.into_error(kind, advice);
    match wait {
        Some(wait) if matches!(kind, Throttled | Unavailable) => {
            let asked = error.retry_after().unwrap_or_default();
            error.with_retry_after(wait.max(asked))
        }
        _ => error,
    }
}

fn diagnose(
    source: ManagedIdentitySource,
    status: u16,
    answer: &Answer,
) -> (ErrorKind, &'static str) {
    match status {
        429 => return (Throttled, THROTTLED),
        408 | 410 | 500..=599 => return (Unavailable, BUSY),
        // The agents of both are updated while they are in use. Elsewhere it
        // says that there is nothing to be had (for Service Fabric the page
        // says so), and trying again does not help.
        404 if matches!(source, VirtualMachine | AzureArc) => return (Unavailable, BUSY),
        300..=399 => {
            let advice = "a redirect, which is not followed; it is not a managed identity endpoint \
                          that answers";
            return (InvalidResponse, advice);
        }
        400..=499 => {}
        _ => {
            return (
                InvalidResponse,
                "not an answer to a request for a managed identity",
            );
        }
    }
    let by_code = answer.codes().iter().find_map(|code| codes::lookup(*code));
    by_code
        .or_else(|| answer.word().and_then(by_word))
        .unwrap_or(match status {
            400 => (Misconfigured, IDENTITY),
            401 | 403 if matches!(source, AppService | ServiceFabric) => (Rejected, SECRET),
            401 if source == AzureArc => {
                let advice = "Azure Arc's agent does not accept the key that it had written to the \
                              file it named";
                (Rejected, advice)
            }
            401 | 403 => (Rejected, "the endpoint gives this process no token"),
            404 if source == ServiceFabric => (Misconfigured, IDENTITY),
            404 | 405 => (Misconfigured, ABSENT),
            _ => (Other, "refused for a reason that this crate does not know"),
        })
}

/// The tables of the pages on IMDS ("Error handling") and on Service Fabric.
fn by_word(word: &str) -> Option<(ErrorKind, &'static str)> {
    Some(match word {
        "access_denied" | "unauthorized_client" => (
            Rejected,
            "the identity may not have a token for this resource",
        ),
        "invalid_request" | "ManagedIdentityNotFound" => (Misconfigured, IDENTITY),
        "invalid_resource" | "invalid_scope" => (Misconfigured, codes::RESOURCE),
        "bad_request_102" => (Misconfigured, HEADER),
        "SecretHeaderNotFound" => (Rejected, SECRET),
        "ArgumentNullOrEmpty"
        | "InvalidApiVersion"
        | "unknown_source"
        | "unsupported_response_type" => (Misconfigured, REQUEST),
        _ => return None,
    })
}

/// What to do when nobody answers.
pub(super) fn no_answer(source: ManagedIdentitySource) -> &'static str {
    match source {
        VirtualMachine => {
            "the instance metadata service (IMDS) does not answer; it does so only on virtual \
             machines, scale sets and AKS nodes in Azure. Elsewhere sign in another way, or check \
             that the variables of the environment that name another source are there"
        }
        AzureArc => "Azure Arc's agent does not answer; check that it runs: `azcmagent show`",
        _ => {
            "the managed identity endpoint that the environment's variables name does not answer; \
             they may be left over from another process"
        }
    }
}
