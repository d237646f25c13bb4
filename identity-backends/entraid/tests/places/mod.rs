//! The places that have managed identities, with endpoints that exist nowhere.
#![allow(dead_code, reason = "each test file uses a part of it")]

use redis_authx::ConfigError;
use redis_authx_entraid::{
    EntraIdentity, HttpClient, HttpRequest, ManagedIdentity, ManagedIdentitySource as Source,
};

use crate::common::*;

pub(crate) const THUMBPRINT: &str = "DA39A3EE5E6B4B0D3255BFEF95601890AFD80709";

pub(crate) fn every_source() -> [Source; 6] {
    [
        Source::AppService,
        Source::AzureArc,
        Source::CloudShell,
        Source::MachineLearning,
        Source::ServiceFabric,
        Source::VirtualMachine,
    ]
}

/// The variables of a source, with endpoints that exist nowhere.
pub(crate) fn variables(source: Source) -> Vec<(&'static str, &'static str)> {
    match source {
        Source::AppService => vec![
            ("IDENTITY_ENDPOINT", "http://app.invalid/msi/token?x=y"),
            ("IDENTITY_HEADER", SECRET),
        ],
        Source::AzureArc => vec![
            ("IDENTITY_ENDPOINT", "http://arc.invalid/token"),
            ("IMDS_ENDPOINT", "http://arc.invalid"),
        ],
        Source::CloudShell => vec![("MSI_ENDPOINT", "http://shell.invalid/oauth2/token")],
        Source::MachineLearning => {
            vec![
                ("MSI_ENDPOINT", "http://ml.invalid/msi/token"),
                ("MSI_SECRET", SECRET),
            ]
        }
        Source::ServiceFabric => vec![
            ("IDENTITY_ENDPOINT", "https://fabric.invalid:2377/token"),
            ("IDENTITY_HEADER", SECRET),
            ("IDENTITY_SERVER_THUMBPRINT", THUMBPRINT),
        ],
        _ => vec![],
    }
}

pub(crate) fn with(
    identity: ManagedIdentity,
    variables: impl IntoIterator<Item = (&'static str, &'static str)>,
) -> ManagedIdentity {
    let variables: Vec<_> = variables.into_iter().collect();
    identity.environment(move |asked| {
        let found = variables.iter().find(|(name, _)| *name == asked);
        found.map(|(_, value)| (*value).to_owned())
    })
}

/// What a request for a token looks like.
pub(crate) fn sent(identity: ManagedIdentity) -> HttpRequest {
    let http = Scripted::new(Ok(token_reply(&access_token(3600), 3599)));
    let identity = built(identity, http.clone());
    request(&identity).expect("a token");
    http.requests().remove(0)
}

pub(crate) fn built(identity: ManagedIdentity, http: impl HttpClient) -> EntraIdentity {
    identity
        .http_client(http)
        .build()
        .expect("a good configuration")
}

pub(crate) fn refused(identity: ManagedIdentity) -> ConfigError {
    identity.build().expect_err("a bad configuration")
}
