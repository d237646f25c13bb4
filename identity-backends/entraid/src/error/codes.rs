//! The `AADSTS` numbers that a token request can meet, after Microsoft Learn,
//! "Microsoft Entra authentication and authorization error codes".

use redis_authx::ErrorKind;
use redis_authx::ErrorKind::{Misconfigured, Rejected, Throttled, Unavailable};

pub(super) const NEEDS_A_PERSON: &str =
    "Entra ID wants a person to sign in or to consent, which an application by itself can't";
pub(super) const SCOPE: &str = "the scope is not valid; for Redis it is \
     `https://redis.azure.com/.default`";
pub(crate) const RESOURCE: &str =
    "the scope's resource is not known in this tenant; check the scope and the authority";
pub(super) const TENANT: &str = "the tenant is not known here; check the tenant id, and that the \
     authority is the one of its cloud";
const ASSERTION_TIME: &str = "the assertion is not within its valid time; check this machine's \
     clock, or that the token file of a workload identity is being renewed";
const ASSERTION: &str = "the assertion is not valid; check the certificate, or the token that the \
     application federates with, its audience and the authority";
const FEDERATION: &str = "no federated identity credential of the application matches the \
     assertion; compare its issuer, subject and audience";
const NO_TENANT: &str = "the authority names no tenant that this application can sign in to; use \
     `Authority::tenant(..)` with its own";
const TRANSIENT: &str = "Entra ID could not answer at the moment";
const PARAMETER: &str = "the request lacks something or is malformed; check the authority's URL";

/// What a code means; `None` for one that is not in the table.
pub(crate) fn lookup(code: u32) -> Option<(ErrorKind, &'static str)> {
    Some(match code {
        7_000_215 => (
            Rejected,
            "the client secret is wrong; give the secret's value, not its id, or create a new one \
             in the app registration",
        ),
        7_000_222 => (
            Rejected,
            "the client secret has expired; create a new one in the app registration",
        ),
        700_027 => (
            Rejected,
            "the assertion is not signed by a certificate of the application; register the one in \
             use, or use one that is registered and has not expired",
        ),
        700_030 => (
            Rejected,
            "the certificate is not accepted; check that it is registered and issued by a trusted \
             authority",
        ),
        700_024 | 500_133 => (Rejected, ASSERTION_TIME),
        50_012 | 50_013 | 50_027 => (Rejected, ASSERTION),
        70_021 | 70_025 | 700_211 | 700_212 | 700_213 => (Rejected, FEDERATION),
        700_229 => (
            Rejected,
            "a user's token can't stand for an application; federate with an app-only token",
        ),
        7_000_112 => (Rejected, "the application is disabled"),
        50_072 | 50_074 | 50_076 | 50_079 | 50_173 | 65_001 | 700_082 => (Rejected, NEEDS_A_PERSON),
        53_003 => (Rejected, "a Conditional Access policy blocks this sign-in"),

        700_016 => (
            Misconfigured,
            "the application is not known in this tenant; check the client id and the tenant",
        ),
        90_002 | 900_023 | 90_038 => (Misconfigured, TENANT),
        50_059 | 50_194 | 9_001_023 => (Misconfigured, NO_TENANT),
        70_011 | 700_022 | 1_002_012 => (Misconfigured, SCOPE),
        50_001 | 500_011 => (Misconfigured, RESOURCE),
        7_000_218 | 90_124 | 90_130 | 900_144 | 900_561 => (Misconfigured, PARAMETER),

        50_196 | 90_055 => (Throttled, "Entra ID is throttling this application"),
        50_033 | 90_006 | 90_012 | 90_024 | 90_033 | 90_090 => (Unavailable, TRANSIENT),
        _ => return None,
    })
}
