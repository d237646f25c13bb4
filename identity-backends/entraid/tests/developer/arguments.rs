use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use redis_authx::ConfigError;
use redis_authx_entraid::{AzureCli, AzureDeveloperCli, AzurePowerShell, EntraIdentity};

use crate::common::request;
use crate::fake::Fake;

/// The arguments, one a line, and where it ran.
fn asked(identity: impl FnOnce(&Fake) -> Result<EntraIdentity, ConfigError>) -> Vec<String> {
    let fake = Fake::new("{ pwd; printf '%s\\n' \"$@\"; } >\"$notes/asked\"; exit 1");
    let identity = identity(&fake).expect("a good configuration");
    request(&identity).expect_err("no token");
    fake.note("asked").lines().map(str::to_owned).collect()
}

#[test]
fn az_is_asked_as_its_reference_says() {
    let scope = "https://redis.azure.com/.default";
    let plain = [
        "/",
        "account",
        "get-access-token",
        "--output",
        "json",
        "--scope",
        scope,
    ];
    assert_eq!(asked(|fake| fake.az().build()), plain);
    let all = asked(|fake| {
        fake.az()
            .tenant("contoso.com")
            .subscription("Pay As You Go")
            .build()
    });
    let more = ["--tenant", "contoso.com", "--subscription", "Pay As You Go"];
    assert_eq!(all, [&plain[..], &more].concat());
}

#[test]
fn azd_is_asked_as_its_reference_says() {
    let found = asked(|fake| fake.azd().tenant("contoso.com").scope("a/.default").build());
    let expected = [
        "/",
        "auth",
        "token",
        "--output",
        "json",
        "--no-prompt",
        "--scope",
        "a/.default",
        "--tenant-id",
        "contoso.com",
    ];
    assert_eq!(found, expected);
}

#[test]
fn pwsh_is_given_a_script() {
    let found = asked(|fake| fake.pwsh().tenant("contoso.com").build());
    assert_eq!(
        found[1..4],
        ["-NoProfile", "-NonInteractive", "-EncodedCommand"]
    );
    let script = STANDARD.decode(&found[4]).expect("base64");
    let script: String = script
        .iter()
        .filter(|b| **b != 0)
        .map(|b| char::from(*b))
        .collect();
    assert!(script.contains("'https://redis.azure.com'"), "{script}");
    assert!(script.contains("'contoso.com'"), "{script}");
}

/// The field that a builder of any tool refuses.
fn refused(result: Result<EntraIdentity, ConfigError>) -> String {
    result.expect_err("a bad configuration").field().to_owned()
}

#[test]
fn what_can_not_be_an_argument_is_refused_at_build() {
    for odd in ["", "-x", "a;b", "a b", "$(id)", "a'b", "a\nb"] {
        assert_eq!(
            refused(AzureCli::new().tenant(odd).build()),
            "tenant",
            "{odd}"
        );
        assert_eq!(
            refused(AzureDeveloperCli::new().tenant(odd).build()),
            "tenant"
        );
        assert_eq!(
            refused(AzurePowerShell::new().tenant(odd).build()),
            "tenant"
        );
        let scope = format!("{odd}/.default");
        assert_eq!(
            refused(AzureCli::new().scope(&scope).build()),
            "scope",
            "{odd}"
        );
        assert_eq!(
            refused(AzureDeveloperCli::new().scope(&scope).build()),
            "scope"
        );
        assert_eq!(
            refused(AzurePowerShell::new().scope(&scope).build()),
            "scope"
        );
    }
    assert_eq!(
        refused(AzureCli::new().subscription("a&b").build()),
        "subscription"
    );
    assert_eq!(
        refused(AzureCli::new().scope("https://redis.azure.com").build()),
        "scope"
    );
    assert_eq!(refused(AzureCli::new().program("az").build()), "program");
    assert_eq!(refused(AzureCli::new().program("./az").build()), "program");
    assert_eq!(
        refused(AzureCli::new().time_limit(Duration::ZERO).build()),
        "time_limit"
    );
    assert_eq!(
        refused(AzurePowerShell::new().username_claim(" ").build()),
        "username_claim"
    );
}
