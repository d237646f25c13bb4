//! The faults that the endpoints can be made to show.

use std::time::Duration;

use super::issuer::Flaw;

/// What an endpoint that gives tokens does instead of answering well.
///
/// Set with [`IdentityControl::set_fault`](crate::IdentityControl::set_fault)
/// until taken back, or with
/// [`IdentityControl::fail_next`](crate::IdentityControl::fail_next) for a
/// number of requests.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// 429 with `Retry-After` (whole seconds, rounded up) and a body of
    /// **plain text**, as Entra's throttling of applications answers.
    Throttled {
        /// The value of `Retry-After`.
        retry_after: Duration,
    },
    /// This status with a JSON error body, such as 500 or 503, or 404 or 410 of
    /// a managed identity's endpoint. A number that is no HTTP status counts as
    /// 500.
    ServerError(u16),
    /// 401 `invalid_client`, AADSTS7000215: the secret is wrong. Of a managed
    /// identity's endpoint 401 as well: it does not accept the secret header.
    InvalidClient,
    /// A refusal with this `AADSTS` number, and the status and error word that
    /// it comes with, such as 700027, 700030, 700016 or 500011. 700016, the
    /// application is not known, is of a managed identity's endpoint its way to
    /// say that no such identity is assigned.
    Refused(u32),
    /// 200 with JSON that ends in the middle.
    Malformed,
    /// 200 with no body.
    EmptyBody,
    /// No answer until the client goes away, or until
    /// [`IdentityControl::release_hung`](crate::IdentityControl::release_hung)
    /// or another fault setting lets it go; then the normal answer.
    Hang,
    /// The connection is closed instead of an answer.
    DropConnection,
    /// A token that expired an hour ago.
    ExpiredToken,
    /// A token whose `nbf` is an hour away.
    NotYetValid,
    /// A token without the `oid` claim.
    MissingOid,
    /// A token for another resource.
    WrongAudience,
    /// The newest token once more, with its old expiry, as back ends that
    /// cache tokens answer. A first request gets a new one.
    SameToken,
    /// 200 with a well-formed answer padded to at least this many bytes
    /// (at most 64 MiB).
    OversizedBody(usize),
}

impl Fault {
    pub(crate) fn flaw(&self) -> Option<Flaw> {
        match self {
            Self::ExpiredToken => Some(Flaw::Expired),
            Self::NotYetValid => Some(Flaw::NotYetValid),
            Self::MissingOid => Some(Flaw::MissingOid),
            Self::WrongAudience => Some(Flaw::WrongAudience),
            _ => None,
        }
    }
}
