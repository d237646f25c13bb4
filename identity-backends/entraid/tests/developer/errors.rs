use std::error::Error;
use std::time::Duration;

use redis_authx::ErrorKind;
use redis_authx_entraid::{EntraIdentity, ToolError, ToolErrorKind};

use crate::common::{access_token, request};
use crate::fake::{Fake, echo, prints};

/// The kind for the manager, and what the tool's error says.
fn failed(identity: &EntraIdentity) -> (ErrorKind, ToolError) {
    let error = request(identity).expect_err("no token");
    let source = error.source().and_then(|source| source.downcast_ref());
    (error.kind(), ToolError::clone(source.expect("a ToolError")))
}

/// For a tool that ends with `code` and this on its error output.
fn refused(tool: usize, code: u8, text: &str) -> (ErrorKind, ToolError) {
    let fake = Fake::new(&format!("{{ {}\n}} >&2\nexit {code}", echo(text)));
    failed(&fake.identities()[tool])
}

const AZ: usize = 0;
const AZD: usize = 1;
const PWSH: usize = 2;

#[test]
fn nobody_signed_in_waits_for_a_person() {
    for (tool, text, advice) in [
        (
            AZ,
            "ERROR: Please run 'az login' to setup account.",
            "`az login`",
        ),
        (
            AZ,
            "ERROR: AADSTS700082: The refresh token has expired due to inactivity.\nTo \
             re-authenticate, please run:\naz login --scope https://redis.azure.com/.default",
            "`az login`",
        ),
        (
            AZD,
            r#"{"type":"consoleMessage","timestamp":"2025-10-09T10:53:20Z","data":{"message":"\nERROR: not logged in, run `azd auth login` to login\n"}}"#,
            "`azd auth login`",
        ),
        (
            PWSH,
            "Get-AzAccessToken: Run Connect-AzAccount to login.",
            "`Connect-AzAccount`",
        ),
    ] {
        let (kind, error) = refused(tool, 1, text);
        // With a number, Entra ID has refused the sign-in that there is.
        let expected = if text.contains("AADSTS") {
            ErrorKind::Rejected
        } else {
            ErrorKind::NotConfigured
        };
        assert_eq!((kind, error.kind()), (expected, ToolErrorKind::NotSignedIn));
        assert!(error.to_string().contains(advice), "{error}");
    }
}

#[test]
fn an_aadsts_number_says_whether_to_wait_for_somebody() {
    for (text, kind) in [
        ("AADSTS53003: Access has been blocked", ErrorKind::Rejected),
        ("AADSTS700016: Application", ErrorKind::Misconfigured),
        (
            "AADSTS90033: A transient error. Or run az login",
            ErrorKind::Unavailable,
        ),
        ("AADSTS50196: loop", ErrorKind::Throttled),
        ("AADSTS1: unknown", ErrorKind::Other),
        ("AADSTS99999999999999999999: too long", ErrorKind::Other),
        ("Max retries exceeded with url", ErrorKind::Other),
        ("", ErrorKind::Other),
    ] {
        let (found, error) = refused(AZ, 1, text);
        assert_eq!(
            (found, error.kind()),
            (kind, ToolErrorKind::Failed),
            "{text}"
        );
        assert!(error.to_string().contains("exit code 1"), "{error}");
    }
    assert_eq!(refused(AZ, 1, "x AADSTS53003: y").1.aadsts(), Some(53_003));
}

#[test]
fn a_tool_that_is_not_there_is_not_configured() {
    let fake = Fake::new("exit 1");
    let absent = fake
        .az()
        .program(fake.folder().join("gone"))
        .build()
        .expect("az");
    let (kind, error) = failed(&absent);
    assert_eq!(
        (kind, error.kind()),
        (ErrorKind::NotConfigured, ToolErrorKind::NotInstalled)
    );
    assert_eq!(error.program(), "az");

    let (kind, error) = refused(AZD, 127, "sh: azd: not found");
    assert_eq!(
        (kind, error.kind()),
        (ErrorKind::NotConfigured, ToolErrorKind::NotInstalled)
    );

    let folder = fake.pwsh().program(fake.folder()).build().expect("pwsh");
    let (kind, error) = failed(&folder);
    assert_eq!(
        (kind, error.kind()),
        (ErrorKind::Misconfigured, ToolErrorKind::NotStarted)
    );
}

#[test]
fn a_tool_that_is_too_old_says_so() {
    for (tool, text) in [
        (AZ, "az: error: unrecognized arguments: --scope"),
        (AZD, "ERROR: unknown command \"token\" for \"azd auth\""),
    ] {
        let (kind, error) = refused(tool, 2, text);
        assert_eq!(
            (kind, error.kind()),
            (ErrorKind::NotConfigured, ToolErrorKind::Outdated)
        );
    }
    let fake = Fake::new("echo 'redis-authx!no-module'");
    let (kind, error) = failed(&fake.pwsh().build().expect("pwsh"));
    assert_eq!(
        (kind, error.kind()),
        (ErrorKind::NotConfigured, ToolErrorKind::Outdated)
    );
    assert!(error.to_string().contains("Az.Accounts"), "{error}");
}

#[test]
fn what_is_no_token_is_an_invalid_response() {
    for output in ["", "null", "{}", "[1", "<html>", "redis-authx%"] {
        let fake = Fake::new(&echo(output));
        for identity in fake.identities() {
            let (kind, error) = failed(&identity);
            assert_eq!(kind, ErrorKind::InvalidResponse, "{output}");
            assert_eq!(error.kind(), ToolErrorKind::Unreadable, "{output}");
        }
    }
    let flood = Fake::new("cat /dev/zero");
    for identity in flood.identities() {
        let (kind, error) = failed(&identity);
        assert_eq!(
            (kind, error.kind()),
            (ErrorKind::InvalidResponse, ToolErrorKind::TooMuchOutput)
        );
    }
}

#[test]
fn a_token_that_has_expired_is_said_so() {
    let fake = Fake::new(&echo(&prints(&access_token(-5), 0)[0]));
    let error = request(&fake.az().build().expect("az")).expect_err("expired");
    assert_eq!(error.kind(), ErrorKind::Expired);
}

#[test]
fn a_tool_that_hangs_has_timed_out() {
    let fake = Fake::new("sleep 600");
    let identity = fake.az().time_limit(Duration::from_millis(50)).build();
    let (kind, error) = failed(&identity.expect("az"));
    assert_eq!(
        (kind, error.kind()),
        (ErrorKind::Timeout, ToolErrorKind::TimedOut)
    );
    assert!(error.to_string().contains("50ms"), "{error}");
}
