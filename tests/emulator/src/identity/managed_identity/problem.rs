use axum::http::StatusCode;

use crate::identity::refusal::Refusal;

/// Why a request gets no token; each source has its own words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    IdentityNotFound,
    MissingMetadata,
    MissingResource,
    /// A fault, or what it is made of.
    Status(StatusCode),
    UnknownResource,
    UnknownVersion,
    WrongSecret,
}

impl From<&Refusal> for Problem {
    /// Faults are worded for Entra ID.
    fn from(refusal: &Refusal) -> Self {
        match refusal.code() {
            700_016 => Self::IdentityNotFound,
            7_000_215 => Self::WrongSecret,
            _ => Self::Status(refusal.status()),
        }
    }
}
