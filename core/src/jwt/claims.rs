use std::borrow::Cow;
use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value};

use super::{ClaimError, parse};

/// The last second of the year 9999. A later number is not a date.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// The claims of an access token (RFC 7519).
///
/// **Read, not verified**: the signature is ignored. The token came from the
/// identity service over TLS, and Redis verifies it; the claims only say which
/// user it is for and when it expires. For Microsoft's names and meanings
/// see Microsoft Learn, "Access token claims reference".
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Reads the claims of a JWT in its compact form: three parts, joined by
    /// dots, of which the second is the base64url of a JSON object. Padding is
    /// accepted.
    ///
    /// # Errors
    /// [`ClaimError::Malformed`] for everything else, and for an object that
    /// holds a name twice, since readers differ in which value they take.
    pub fn parse(token: &str) -> Result<Self, ClaimError> {
        parse::claims(token).map(Self)
    }

    /// The object id of the user, service principal or managed identity that
    /// the token was issued to: its Redis user name.
    ///
    /// # Errors
    /// See [`name`](Self::name).
    pub fn oid(&self) -> Result<&str, ClaimError> {
        self.name("oid")
    }

    /// The id of the tenant that issued it.
    ///
    /// # Errors
    /// See [`name`](Self::name).
    pub fn tid(&self) -> Result<&str, ClaimError> {
        self.name("tid")
    }

    /// When it expires.
    ///
    /// # Errors
    /// [`MissingClaim`](ClaimError::MissingClaim), or
    /// [`InvalidClaim`](ClaimError::InvalidClaim) when it is not a number of
    /// seconds since 1970 up to the year 9999. Fractions are kept.
    pub fn exp(&self) -> Result<SystemTime, ClaimError> {
        self.date("exp")
    }

    /// When it was issued. Entra ID puts it some minutes into the past.
    ///
    /// # Errors
    /// As for [`exp`](Self::exp).
    pub fn iat(&self) -> Result<SystemTime, ClaimError> {
        self.date("iat")
    }

    /// The unchanged text of a claim; `None` when the token has no such claim, or
    /// when it is not a string. Claims of nested objects are not searched.
    #[must_use]
    pub fn get(&self, claim: &str) -> Option<&str> {
        self.0.get(claim)?.as_str()
    }

    /// The value of a claim that can serve as a user name.
    ///
    /// # Errors
    /// [`MissingClaim`](ClaimError::MissingClaim), or
    /// [`InvalidClaim`](ClaimError::InvalidClaim) when it is not a string, is
    /// empty, or holds white space or control characters.
    pub fn name(&self, claim: impl Into<Cow<'static, str>>) -> Result<&str, ClaimError> {
        let claim = claim.into();
        match self.0.get(&*claim) {
            None => Err(ClaimError::MissingClaim(claim)),
            Some(Value::String(name)) if is_name(name) => Ok(name),
            Some(_) => Err(ClaimError::InvalidClaim(claim)),
        }
    }

    /// An RFC 7519 NumericDate.
    fn date(&self, claim: &'static str) -> Result<SystemTime, ClaimError> {
        let value = self
            .0
            .get(claim)
            .ok_or_else(|| ClaimError::MissingClaim(claim.into()))?;
        value
            .as_f64()
            .filter(|seconds| (0.0..=LAST_SECOND).contains(seconds))
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since))
            .ok_or_else(|| ClaimError::InvalidClaim(claim.into()))
    }
}

/// Whether this can be the name of a Redis user, and fits into a log line.
pub(super) fn is_name(text: &str) -> bool {
    !text.is_empty() && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

impl fmt::Debug for Claims {
    /// Shows the names of the claims; their values may be personal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
