use std::error::Error;

use redis_authx::{ChainError, ErrorKind};
use redis_authx_emulator::{Emulator, Fault};
use redis_authx_entraid::{DefaultAzureCredential, EntraIdentity, UreqClient};

use crate::contract::{Flow, identity_contract};
use crate::support::{error, signed_up, token};

/// A deployed program, whose application's secret is in its environment.
struct DefaultChain;

impl Flow for DefaultChain {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        let http = UreqClient::builder()
            .root_certificate_pem(emulator.ca_pem())
            .build()
            .unwrap();
        let variables = [
            ("AZURE_TOKEN_CREDENTIALS", "prod".to_owned()),
            ("AZURE_AUTHORITY_HOST", emulator.identity_url().to_owned()),
            ("AZURE_TENANT_ID", emulator.tenant_id().to_owned()),
            ("AZURE_CLIENT_ID", emulator.client_id().to_owned()),
            ("AZURE_CLIENT_SECRET", emulator.client_secret().to_owned()),
            // No managed identity: nobody listens there.
            (
                "AZURE_POD_IDENTITY_AUTHORITY_HOST",
                "http://127.0.0.1:1".to_owned(),
            ),
        ];
        DefaultAzureCredential::new()
            .http_client(http)
            .environment(move |name| {
                let found = variables.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| value.clone())
            })
            .build()
            .unwrap()
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        vec![emulator.client_secret().to_owned()]
    }
}

identity_contract!(DefaultChain);

/// The names of those that were asked.
fn asked(error: &redis_authx::ProviderError) -> Vec<String> {
    let all = error.source().unwrap().downcast_ref::<ChainError>();
    let names = all.unwrap().failures().map(|(name, _)| name.to_owned());
    names.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_worked_is_stayed_with_until_a_person_is_needed() {
    let (emulator, identity) = signed_up::<DefaultChain>().await;
    token(&identity).await;

    emulator.identity().set_fault(Some(Fault::ServerError(503)));
    let passing = error(&identity).await;
    assert_eq!(passing.kind(), ErrorKind::Unavailable);
    assert_eq!(asked(&passing), ["EnvironmentCredential"]);

    emulator.identity().set_fault(Some(Fault::InvalidClient));
    let refused = error(&identity).await;
    assert_eq!(
        asked(&refused),
        [
            "EnvironmentCredential",
            "WorkloadIdentityCredential",
            "ManagedIdentityCredential",
        ]
    );
    emulator.identity().set_fault(None);
    token(&identity).await;
}
