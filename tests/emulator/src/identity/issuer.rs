//! Makes access tokens: the claims of the Microsoft identity platform's access tokens
//! ("Access token claims reference"), and their numbering.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{key::SigningKey, people::User};
use crate::clock;

/// The resource that tokens for Azure's Redis are for, as a URI.
pub(crate) const REDIS_RESOURCE: &str = "https://redis.azure.com";
/// The same resource by its application id.
pub(crate) const REDIS_APP_ID: &str = "acca5fbb-b7e4-4009-81f1-37e38fd66d78";

/// Microsoft Graph, of which a scope is that names no resource.
pub(crate) const GRAPH: &str = "https://graph.microsoft.com";
const GRAPH_APP_ID: &str = "00000003-0000-0000-c000-000000000000";

/// The two shapes of access tokens. Which one a resource gets is set by its
/// registration, not by the endpoint that is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenVersion {
    /// `ver` "1.0": issuer `https://sts.windows.net/{tenant}/`, client in
    /// `appid`, the audience as it was asked for.
    V1,
    /// `ver` "2.0": issuer `https://login.microsoftonline.com/{tenant}/v2.0`,
    /// client in `azp`, the audience always an application id.
    #[default]
    V2,
}

/// Who is who.
#[derive(Clone, Debug)]
pub(crate) struct Ids {
    pub(crate) tenant: String,
    pub(crate) client: String,
    pub(crate) object: String,
}

/// How a token departs from a good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    Expired,
    NotYetValid,
    MissingOid,
    WrongAudience,
}

/// What to put in a token.
pub(crate) struct Order<'a> {
    pub(crate) lifetime: Duration,
    pub(crate) resource: &'a str,
    /// Who signed in; `None` for the application itself.
    pub(crate) user: Option<&'a User>,
    pub(crate) skew_seconds: i64,
    pub(crate) flaw: Option<Flaw>,
}

/// A signed token and the seconds that an answer gives it.
#[derive(Clone)]
pub(crate) struct Minted {
    pub(crate) token: String,
    pub(crate) expires_in: u64,
}

/// Signs tokens and numbers them: each carries its number in `uti`, so that
/// "every token up to now" can be told from later ones without keeping any.
pub(crate) struct Issuer {
    pub(crate) ids: Ids,
    pub(crate) key: SigningKey,
    version: TokenVersion,
    fractional_expiry: bool,
    issued: AtomicU64,
    latest: Mutex<Option<Minted>>,
}

impl Issuer {
    pub(crate) fn new(
        ids: Ids,
        key: SigningKey,
        version: TokenVersion,
        fractional_expiry: bool,
    ) -> Self {
        Self {
            ids,
            key,
            version,
            fractional_expiry,
            issued: AtomicU64::new(0),
            latest: Mutex::new(None),
        }
    }

    /// The number of the newest token; 0 before the first.
    pub(crate) fn latest_number(&self) -> u64 {
        self.issued.load(Ordering::SeqCst)
    }

    /// The newest token again, as back ends that cache do.
    pub(crate) fn latest(&self) -> Option<Minted> {
        self.lock().clone()
    }

    /// A new token; `None` only if the signing itself fails.
    pub(crate) fn mint(&self, order: &Order<'_>) -> Option<Minted> {
        let number = self.issued.fetch_add(1, Ordering::SeqCst) + 1;
        let now = clock::unix_now() + order.skew_seconds as f64;
        let (start, end) = match order.flaw {
            Some(Flaw::Expired) => (now - 7200.0, now - 3600.0),
            Some(Flaw::NotYetValid) => (now + 3600.0, now + 7200.0),
            _ => (now, now + order.lifetime.as_secs_f64()),
        };
        let end = if self.fractional_expiry {
            end
        } else {
            end.ceil()
        };

        let mut claims = self.client_claims(order);
        claims["iat"] = json!(start.floor() as i64);
        claims["nbf"] = json!(start.floor() as i64);
        claims["exp"] = if self.fractional_expiry {
            json!(end)
        } else {
            json!(end as i64)
        };
        claims["uti"] = json!(unique_id(number));
        if order.flaw == Some(Flaw::MissingOid)
            && let Some(claims) = claims.as_object_mut()
        {
            claims.remove("oid");
        }

        let minted = Minted {
            token: self.key.sign(&claims)?,
            // Never 0: clients take that for a token that has expired already.
            expires_in: ((end - now).floor().max(1.0)) as u64,
        };
        *self.lock() = Some(minted.clone());
        Some(minted)
    }

    /// An id token for the application ("ID token claims reference"): by the scope `profile` it
    /// says who it is. `None` only if the signing itself fails.
    pub(crate) fn id_token(
        &self,
        profile: Option<&User>,
        nonce: Option<&str>,
        skew_seconds: i64,
    ) -> Option<String> {
        let Ids {
            tenant,
            client,
            object,
        } = &self.ids;
        let now = (clock::unix_now() + skew_seconds as f64) as i64;
        let mut claims = json!({
            "aud": client,
            "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
            "iat": now,
            "nbf": now,
            "exp": now + 3600,
            "sub": object,
            "tid": tenant,
            "ver": "2.0",
        });
        if let Some(nonce) = nonce {
            claims["nonce"] = json!(nonce);
        }
        if let Some(user) = profile {
            claims["oid"] = json!(object);
            user.describe(&mut claims);
        }
        self.key.sign(&claims)
    }

    fn client_claims(&self, order: &Order<'_>) -> Value {
        let Ids {
            tenant,
            client,
            object,
        } = &self.ids;
        let mut claims = match self.version {
            TokenVersion::V1 => json!({
                "aud": order.resource,
                "iss": format!("https://sts.windows.net/{tenant}/"),
                "appid": client,
                "appidacr": "1",
                "idp": format!("https://sts.windows.net/{tenant}/"),
                "ver": "1.0",
            }),
            TokenVersion::V2 => json!({
                "aud": if order.resource == GRAPH { GRAPH_APP_ID } else { REDIS_APP_ID },
                "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
                "azp": client,
                "azpacr": "1",
                "ver": "2.0",
            }),
        };
        if order.flaw == Some(Flaw::WrongAudience) {
            claims["aud"] = json!(GRAPH);
        }
        match order.user {
            None => claims["idtyp"] = json!("app"),
            Some(user) => {
                let acr = match self.version {
                    TokenVersion::V1 => "appidacr",
                    TokenVersion::V2 => "azpacr",
                };
                claims[acr] = json!("0");
                claims["scp"] = json!("user_impersonation");
                user.describe(&mut claims);
            }
        }
        claims["oid"] = json!(object);
        claims["sub"] = json!(object);
        claims["tid"] = json!(tenant);
        claims
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<Minted>> {
        self.latest.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// 16 bytes: the token's number, then random ones.
fn unique_id(number: u64) -> String {
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[8..].copy_from_slice(&fastrand::u64(..).to_be_bytes());
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The number in a `uti` claim; `None` for one that this crate did not write.
pub(crate) fn number_of(uti: &str) -> Option<u64> {
    let bytes = URL_SAFE_NO_PAD.decode(uti).ok()?;
    let bytes: [u8; 16] = bytes.try_into().ok()?;
    Some(u64::from_be_bytes(bytes[..8].try_into().ok()?))
}

/// Whether `audience` names Azure's Redis. Both spellings of the URI are in
/// use against the live service.
pub(crate) fn is_redis(audience: &str) -> bool {
    audience.strip_suffix('/').unwrap_or(audience) == REDIS_RESOURCE || audience == REDIS_APP_ID
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn issuer(version: TokenVersion, fractional: bool) -> Issuer {
        let ids = Ids {
            tenant: "tenant-1".into(),
            client: "client-1".into(),
            object: "object-1".into(),
        };
        Issuer::new(ids, SigningKey::new().unwrap(), version, fractional)
    }

    fn order(lifetime: Duration, flaw: Option<Flaw>) -> Order<'static> {
        Order {
            lifetime,
            resource: REDIS_RESOURCE,
            user: None,
            skew_seconds: 0,
            flaw,
        }
    }

    fn claims(issuer: &Issuer, order: &Order<'_>) -> Value {
        let minted = issuer.mint(order).unwrap();
        issuer.key.verify(minted.token.as_bytes()).unwrap()
    }

    #[test]
    fn both_shapes_name_object_and_client_apart() {
        let hour = Duration::from_secs(3600);
        let v2 = claims(&issuer(TokenVersion::V2, false), &order(hour, None));
        assert_eq!(v2["aud"], REDIS_APP_ID);
        assert_eq!(v2["iss"], "https://login.microsoftonline.com/tenant-1/v2.0");
        assert_eq!(
            (&v2["ver"], &v2["azp"]),
            (&json!("2.0"), &json!("client-1"))
        );
        assert_eq!(
            (&v2["oid"], &v2["sub"]),
            (&json!("object-1"), &json!("object-1"))
        );

        let v1 = claims(&issuer(TokenVersion::V1, false), &order(hour, None));
        assert_eq!(v1["aud"], REDIS_RESOURCE);
        assert_eq!(v1["iss"], "https://sts.windows.net/tenant-1/");
        assert_eq!(
            (&v1["ver"], &v1["appid"]),
            (&json!("1.0"), &json!("client-1"))
        );
    }

    #[test]
    fn expiry_is_whole_seconds_rounded_up_unless_asked_otherwise() {
        let short = Duration::from_millis(300);
        let before = clock::unix_now();
        let whole = claims(&issuer(TokenVersion::V2, false), &order(short, None));
        let end = whole["exp"].as_i64().unwrap() as f64;
        assert!(end >= before + 0.3 && whole["exp"].is_i64());

        let minted = issuer(TokenVersion::V2, true)
            .mint(&order(short, None))
            .unwrap();
        assert_eq!(minted.expires_in, 1);
        let exact = claims(&issuer(TokenVersion::V2, true), &order(short, None));
        assert!(exact["exp"].is_f64());
    }

    #[test]
    fn expires_in_never_promises_more_than_exp() {
        let issuer = issuer(TokenVersion::V2, false);
        for seconds in [1, 3, 3600] {
            let minted = issuer
                .mint(&order(Duration::from_secs(seconds), None))
                .unwrap();
            assert_eq!(minted.expires_in, seconds);
        }
    }

    #[test]
    fn tokens_are_numbered_and_the_last_one_can_be_had_again() {
        let issuer = issuer(TokenVersion::V2, false);
        assert!(issuer.latest().is_none());
        let hour = order(Duration::from_secs(3600), None);
        let first = claims(&issuer, &hour);
        let second = issuer.mint(&hour).unwrap();
        assert_eq!(number_of(first["uti"].as_str().unwrap()), Some(1));
        assert_eq!(issuer.latest_number(), 2);
        assert_eq!(issuer.latest().unwrap().token, second.token);
        assert_eq!(number_of("short"), None);
    }

    #[test]
    fn flaws_show_in_the_claims() {
        let issuer = issuer(TokenVersion::V2, false);
        let hour = Duration::from_secs(3600);
        let now = clock::unix_now() as i64;
        assert!(claims(&issuer, &order(hour, Some(Flaw::Expired)))["exp"].as_i64() < Some(now));
        assert!(claims(&issuer, &order(hour, Some(Flaw::NotYetValid)))["nbf"].as_i64() > Some(now));
        assert_eq!(
            claims(&issuer, &order(hour, Some(Flaw::MissingOid))).get("oid"),
            None
        );
        assert!(!is_redis(
            claims(&issuer, &order(hour, Some(Flaw::WrongAudience)))["aud"]
                .as_str()
                .unwrap()
        ));
    }
}
