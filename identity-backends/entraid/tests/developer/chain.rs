//! The default chain, with a scripted identity service and tools that are
//! scripts.

use std::error::Error;
use std::os::unix::fs::symlink;

use redis_authx::{ChainError, ErrorKind, ProviderError};
use redis_authx_entraid::{
    DefaultAzureCredential, EntraIdentity, HttpError, HttpErrorKind, HttpResponse,
};

use crate::common::{OID, Scripted, access_token, everything, request, token_reply};
use crate::fake::{Fake, signed_in};

fn unreachable() -> Scripted {
    Scripted::new(Err(HttpError::new(HttpErrorKind::Connect, "refused")))
}

/// Everything that these variables and this service name, with `tools` as the
/// only folder of the PATH.
fn chain(
    tools: &Fake,
    http: &Scripted,
    variables: &[(&'static str, &'static str)],
) -> EntraIdentity {
    let path = tools.folder().display().to_string();
    let variables = variables.to_vec();
    DefaultAzureCredential::new()
        .http_client(http.clone())
        .environment(move |name| match name {
            "PATH" => Some(path.clone()),
            name => {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            }
        })
        .build()
        .expect("a usable environment")
}

fn said(error: &ProviderError) -> &ChainError {
    let source = error.source().and_then(|source| source.downcast_ref());
    source.expect("a ChainError")
}

const SECRET: [(&str, &str); 3] = [
    ("AZURE_TENANT_ID", "contoso.com"),
    ("AZURE_CLIENT_ID", "8f0c6c5e-3a43-4c4d-9c89-7a1f6a2f4c11"),
    ("AZURE_CLIENT_SECRET", "hunter2"),
];

#[test]
fn when_nothing_is_there_each_says_why() {
    let tools = Fake::new("exit 1");
    let error = request(&chain(&tools, &unreachable(), &[])).expect_err("nothing");
    // The managed identity's endpoint may come yet.
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let kinds: Vec<_> = said(&error)
        .failures()
        .map(|(name, error)| (name, error.kind()))
        .collect();
    assert_eq!(
        kinds,
        [
            ("EnvironmentCredential", ErrorKind::NotConfigured),
            ("WorkloadIdentityCredential", ErrorKind::NotConfigured),
            ("ManagedIdentityCredential", ErrorKind::Unavailable),
            ("AzureCliCredential", ErrorKind::NotConfigured),
            ("AzurePowerShellCredential", ErrorKind::NotConfigured),
            ("AzureDeveloperCliCredential", ErrorKind::NotConfigured),
        ]
    );
    let text = said(&error).to_string();
    for part in [
        "`AZURE_TENANT_ID` is not set",
        "`AZURE_CLIENT_ID` is not set",
        "`az` is in none",
        "`pwsh` is in none",
        "`azd` is in none",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn the_environment_is_asked_first() {
    let tools = signed_in();
    symlink(tools.program(), tools.folder().join("az")).expect("a link");
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3600)));
    let identity = chain(&tools, &http, &SECRET);
    assert_eq!(request(&identity).expect("a token").username(), OID);
    let requests = http.requests();
    assert_eq!(requests.len(), 1);
    assert!(
        requests[0]
            .url()
            .ends_with("/contoso.com/oauth2/v2.0/token")
    );
}

#[test]
fn a_developer_stays_with_the_tool_that_worked() {
    let tools = signed_in();
    symlink(tools.program(), tools.folder().join("az")).expect("a link");
    let http = unreachable();
    let identity = chain(&tools, &http, &[]);
    assert_eq!(request(&identity).expect("a token").username(), OID);
    let asked = http.requests().len();
    assert_eq!(asked, 1, "the sign of life of a managed identity");
    assert!(request(&identity).is_ok());
    assert_eq!(http.requests().len(), asked, "not looked for again");
}

#[test]
fn a_part_of_the_chain_leaves_the_others_alone() {
    let tools = signed_in();
    symlink(tools.program(), tools.folder().join("az")).expect("a link");
    let http = unreachable();
    let dev = chain(&tools, &http, &[("AZURE_TOKEN_CREDENTIALS", "dev")]);
    assert!(request(&dev).is_ok());
    assert!(http.requests().is_empty());
    let prod = chain(&tools, &http, &[("AZURE_TOKEN_CREDENTIALS", "prod")]);
    assert_eq!(
        said(&request(&prod).expect_err("no Azure"))
            .failures()
            .count(),
        3
    );
}

/// `az` is signed in, and the service refuses everything in this way.
fn refusing(
    status: u16,
    error: &str,
    variables: &[(&'static str, &'static str)],
) -> Result<(), (ErrorKind, usize)> {
    let tools = signed_in();
    symlink(tools.program(), tools.folder().join("az")).expect("a link");
    let body = format!(r#"{{"error":"{error}","error_description":"hunter2"}}"#);
    let http = Scripted::new(Ok(HttpResponse::new(status).with_body(body)));
    match request(&chain(&tools, &http, variables)) {
        Ok(_) => Ok(()),
        Err(error) => Err((error.kind(), said(&error).failures().count())),
    }
}

#[test]
fn what_is_configured_and_fails_ends_the_chain() {
    assert_eq!(
        refusing(401, "invalid_client", &SECRET),
        Err((ErrorKind::Rejected, 1))
    );
    // An identity is named that this machine has not.
    assert_eq!(
        refusing(400, "invalid_request", &SECRET[1..2]),
        Err((ErrorKind::Misconfigured, 3))
    );
    assert_eq!(refusing(429, "", &[]), Err((ErrorKind::Throttled, 3)));
}

#[test]
fn what_is_not_there_or_out_of_reach_is_passed_over() {
    assert_eq!(refusing(503, "", &SECRET), Ok(()));
    // A virtual machine without an identity.
    assert_eq!(refusing(400, "invalid_request", &[]), Ok(()));
}

#[test]
fn no_error_of_the_chain_holds_a_secret() {
    let tools = Fake::new("echo hunter2; echo hunter2 >&2; exit 1");
    for name in ["az", "azd", "pwsh"] {
        symlink(tools.program(), tools.folder().join(name)).expect("a link");
    }
    for (status, asked) in [(400, 1), (503, 4)] {
        let http = Scripted::new(Ok(HttpResponse::new(status).with_body("hunter2")));
        let identity = chain(&tools, &http, &SECRET);
        let error = request(&identity).expect_err("no token");
        assert_eq!(said(&error).failures().count(), asked);
        let shown = everything(&error) + &format!("{identity:?}{identity:#?}");
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
