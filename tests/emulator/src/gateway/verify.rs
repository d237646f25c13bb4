//! Whether a user and a token may log in: what Azure's Redis checks of a token.

use std::{fmt, time::Duration};

use ring::digest;
use serde_json::Value;

use crate::{
    clock,
    identity::issuer::{self, Issuer},
};

/// Why the gateway refused a log-in. Clients only see `WRONGPASS`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AuthRefusal {
    /// The user name and password are not the sentinels'
    /// ([`SentinelAuth::Password`](crate::SentinelAuth::Password)).
    WrongPassword,
    /// The password is no token that the identity side signed.
    NotAToken,
    /// The token is for another audience than Redis.
    WrongAudience,
    /// The token's `exp` has passed.
    Expired,
    /// The token's `nbf` has not come yet.
    NotYetValid,
    /// The user name is not the token's `oid`, or the token has none.
    WrongUser,
    /// There was no user name; Azure wants `AUTH <object id> <token>`.
    NoUserName,
    /// [`RedisControl::refuse_next_auths`](crate::RedisControl::refuse_next_auths).
    OnRequest,
    /// The token is older than a call of
    /// [`refuse_auth_until_fresh_token`](crate::RedisControl::refuse_auth_until_fresh_token) or
    /// [`revoke_tokens_issued_until_now`](crate::RedisControl::revoke_tokens_issued_until_now).
    Revoked,
    /// The backend refused: a log-in in a form or at a time that Redis does
    /// not allow, such as on a RESP2 connection with subscriptions.
    Backend,
}

impl fmt::Display for AuthRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::WrongPassword => "the user name and password are not the sentinels'",
            Self::NotAToken => "the password is no token of this emulator",
            Self::WrongAudience => "the token is for another audience than Redis",
            Self::Expired => "the token has expired",
            Self::NotYetValid => "the token is not valid yet",
            Self::WrongUser => "the user name is not the token's oid",
            Self::NoUserName => "AUTH came without a user name",
            Self::OnRequest => "refused on request of the test",
            Self::Revoked => "the token is older than the test allows",
            Self::Backend => "Redis did not take the command here",
        })
    }
}

/// What a good token allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Pass {
    /// How long the token is still good.
    pub(crate) left: Duration,
    /// Its place in the order of issue; 0 if this emulator did not issue it.
    pub(crate) number: u64,
    /// Which token it is: the start of its SHA-256.
    pub(crate) fingerprint: u64,
}

impl Pass {
    /// What a password allows, which does not expire, and which no revocation
    /// of tokens is about.
    pub(crate) const PASSWORD: Self = Self {
        left: clock::FOREVER,
        number: u64::MAX,
        fingerprint: 0,
    };
}

/// Checks a log-in against the identity side's key and the clock.
pub(crate) fn judge(issuer: &Issuer, user: &[u8], token: &[u8]) -> Result<Pass, AuthRefusal> {
    let claims = issuer.key.verify(token).ok_or(AuthRefusal::NotAToken)?;
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    let date = |name: &str| claims.get(name).and_then(Value::as_f64);

    if !text("aud").is_some_and(issuer::is_redis) {
        return Err(AuthRefusal::WrongAudience);
    }
    let left = clock::until(date("exp").ok_or(AuthRefusal::NotAToken)?);
    if left.is_zero() {
        return Err(AuthRefusal::Expired);
    }
    if date("nbf").is_some_and(|start| start > clock::unix_now()) {
        return Err(AuthRefusal::NotYetValid);
    }
    let object = text("oid").ok_or(AuthRefusal::WrongUser)?;
    // One user exists in the store, so that a token for another one can't log
    // in either.
    if object.as_bytes() != user || object != issuer.ids.object {
        return Err(AuthRefusal::WrongUser);
    }
    let hash = digest::digest(&digest::SHA256, token);
    Ok(Pass {
        left,
        number: text("uti").and_then(issuer::number_of).unwrap_or(0),
        fingerprint: hash
            .as_ref()
            .iter()
            .take(8)
            .fold(0, |sum, &byte| sum << 8 | u64::from(byte)),
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::identity::{
        TokenVersion,
        issuer::{Flaw, Ids, Order},
        key::SigningKey,
    };

    fn issuer(version: TokenVersion, object: &str) -> Issuer {
        let ids = Ids {
            tenant: "t".into(),
            client: "c".into(),
            object: object.into(),
        };
        Issuer::new(ids, SigningKey::new().unwrap(), version, false)
    }

    fn token(issuer: &Issuer, resource: &str, flaw: Option<Flaw>) -> String {
        let lifetime = Duration::from_secs(60);
        let order = Order {
            lifetime,
            resource,
            user: None,
            skew_seconds: 0,
            flaw,
        };
        issuer.mint(&order).unwrap().token
    }

    #[test]
    fn good_tokens_pass_in_both_shapes_and_spellings() {
        let v2 = issuer(TokenVersion::V2, "o");
        let pass = judge(&v2, b"o", token(&v2, "", None).as_bytes()).unwrap();
        assert_eq!(pass.number, 1);
        assert!(pass.left > Duration::from_secs(58) && pass.left <= Duration::from_secs(61));
        let v1 = issuer(TokenVersion::V1, "o");
        for resource in ["https://redis.azure.com", "https://redis.azure.com/"] {
            assert!(judge(&v1, b"o", token(&v1, resource, None).as_bytes()).is_ok());
        }
    }

    #[test]
    fn each_flaw_is_told_apart() {
        let v2 = issuer(TokenVersion::V2, "o");
        for (flaw, expected) in [
            (Flaw::Expired, AuthRefusal::Expired),
            (Flaw::NotYetValid, AuthRefusal::NotYetValid),
            (Flaw::MissingOid, AuthRefusal::WrongUser),
            (Flaw::WrongAudience, AuthRefusal::WrongAudience),
        ] {
            let flawed = token(&v2, "", Some(flaw));
            assert_eq!(judge(&v2, b"o", flawed.as_bytes()), Err(expected));
        }
        let good = token(&v2, "", None);
        assert_eq!(
            judge(&v2, b"c", good.as_bytes()),
            Err(AuthRefusal::WrongUser)
        );
        assert_eq!(judge(&v2, b"o", b"garbage"), Err(AuthRefusal::NotAToken));
        let other = token(&issuer(TokenVersion::V2, "p"), "", None);
        assert_eq!(
            judge(&v2, b"p", other.as_bytes()),
            Err(AuthRefusal::WrongUser)
        );
    }
}
