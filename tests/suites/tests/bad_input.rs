//! Every configuration mistake is refused when it is made, and the error names
//! the field, what was found there and what is allowed.

use redis_authx::testing::ManualClock;
use redis_authx::{
    ConfigError, Credentials, ExponentialBackoff, ReauthPolicy, RefreshPolicy, StaticToken, Token,
    TokenManager,
};
use redis_authx_entraid::{Authority, ClientSecret, EntraIdentity};
use redis_authx_redis::AuthClient;
use redis_authx_tokio::Tokio;

const SECRET: &str = "correct-horse-battery-staple";

/// Has `error` say all three, and no secret.
#[track_caller]
fn says<T: std::fmt::Debug>(
    result: Result<T, ConfigError>,
    field: &str,
    found: &str,
    allowed: &str,
) {
    let error = result.expect_err("it is refused");
    assert_eq!(error.field(), field);
    let text = error.to_string();
    assert!(text.contains(field), "{text}");
    assert!(text.contains(found), "{found} is not in: {text}");
    assert!(text.contains(allowed), "{allowed} is not in: {text}");
    assert!(!text.contains(SECRET), "{text}");
}

#[test]
fn refresh_policy() {
    for ratio in [-0.1, 1.5, f64::NAN, f64::INFINITY] {
        let policy = RefreshPolicy::builder().expiration_refresh_ratio(ratio);
        let found = ratio.to_string();
        says(policy.build(), "expiration_refresh_ratio", &found, "0 to 1");
    }
    let policy = RefreshPolicy::builder().refresh_jitter(2.0);
    says(policy.build(), "refresh_jitter", "2", "0 to 1");
}

#[test]
fn retry_and_reauth_policies() {
    let retry = ExponentialBackoff::builder;
    says(
        retry().max_attempts(0).build(),
        "max_attempts",
        "0",
        "1 or more",
    );
    says(
        retry().backoff_multiplier(0.5).build(),
        "backoff_multiplier",
        "0.5",
        "1 or more",
    );
    says(retry().jitter(f64::NAN).build(), "jitter", "NaN", "0 to 1");
    let reauth = ReauthPolicy::builder;
    says(
        reauth().max_in_flight(0).build(),
        "max_in_flight",
        "0",
        "1 or more",
    );
    says(reauth().stagger(-1.0).build(), "stagger", "-1", "0 to 1");
}

fn entra(
    client_id: &str,
    secret: &str,
    authority: Authority,
    scope: &str,
) -> Result<EntraIdentity, ConfigError> {
    ClientSecret::new(client_id, secret)
        .authority(authority)
        .scope(scope)
        .build()
}

#[test]
fn entra_id() {
    let scope = "https://redis.azure.com/.default";
    let tenant = || Authority::tenant("contoso.onmicrosoft.com");
    says(
        entra("  ", SECRET, tenant(), scope),
        "client_id",
        "blank",
        "client",
    );
    says(
        entra("app", "", tenant(), scope),
        "client_secret",
        "",
        "secret",
    );
    says(entra("app", SECRET, tenant(), ""), "scope", "", ".default");
    says(
        entra("app", SECRET, tenant(), "a b"),
        "scope",
        "a b",
        ".default",
    );
    let slash = Authority::tenant("contoso/x");
    says(
        entra("app", SECRET, slash, scope),
        "authority.tenant",
        "contoso/x",
        "letters",
    );
    let clear = Authority::custom("http://login.example/tenant");
    says(
        entra("app", SECRET, clear, scope),
        "authority.url",
        "http://login.example",
        "https",
    );
    let nowhere = Authority::custom("https:///tenant");
    says(
        entra("app", SECRET, nowhere, scope),
        "authority.url",
        "without host",
        "https",
    );
}

/// Entra refuses client credentials at `/common`; it is said before it is asked.
#[test]
fn the_default_authority_does_not_serve_client_credentials() {
    let built = ClientSecret::new("app", SECRET)
        .authority(Authority::Default)
        .build();
    says(built, "authority", "common", "tenant");
}

fn credentials() -> Credentials {
    let identity = StaticToken::new(Token::new("app", SECRET));
    let (manager, _driver) = TokenManager::builder(identity).build(&ManualClock::new());
    manager.credentials()
}

#[tokio::test]
async fn redis_url() {
    let open = |url: &str| {
        AuthClient::builder(url, credentials())
            .runtime(Tokio)
            .build()
    };
    says(open("redis://"), "url", "Redis URL", "rediss://");
    says(open("cache.example:6379"), "url", "Redis URL", "rediss://");
    says(
        open("redis://cache.example:6379"),
        "url",
        "redis://cache.example:6379",
        "allow_plaintext",
    );
    let with_password = format!("rediss://user:{SECRET}@cache.example");
    says(open(&with_password), "url", "password", "without them");
    let allowed = AuthClient::builder("redis://cache.example:6379", credentials())
        .runtime(Tokio)
        .allow_plaintext(true)
        .build();
    assert!(allowed.is_ok());
}

/// A manager that was built with a clock alone has no runtime to lend.
#[test]
fn a_client_without_a_runtime() {
    let opened = AuthClient::open("rediss://cache.example:10000", credentials());
    says(opened, "runtime", "not set", "runtime()");
}
