use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use redis_authx::{ErrorKind, ProviderError};
use redis_authx_emulator::Emulator;
use redis_authx_entraid::{ClientAssertion as Assertion, EntraIdentity};

use crate::contract::{Flow, identity_contract};
use crate::support::{error, token};

struct ClientAssertion;

impl Flow for ClientAssertion {
    type Identity = EntraIdentity;

    async fn identity(emulator: &Emulator) -> EntraIdentity {
        let jwt = emulator.federated_token(Duration::from_secs(3600));
        by_function(emulator, move || Ok(jwt.clone()))
    }

    fn secrets(emulator: &Emulator) -> Vec<String> {
        let token = emulator.federated_token(Duration::from_secs(60));
        let header = token.split('.').next().unwrap();
        vec![header.to_owned()]
    }
}

identity_contract!(ClientAssertion);

fn by_function<F>(emulator: &Emulator, answer: F) -> EntraIdentity
where
    F: Fn() -> Result<String, ProviderError> + Send + Sync + 'static,
{
    Assertion::new(emulator.client_id(), move || std::future::ready(answer()))
        .authority(emulator.authority())
        .http_client(emulator.http_client().unwrap())
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_function_that_fails_is_asked_again() {
    let emulator = Emulator::builder().start().await.unwrap();
    let jwt = emulator.federated_token(Duration::from_secs(3600));
    let calls = AtomicU32::new(0);
    let identity = by_function(&emulator, move || {
        match calls.fetch_add(1, Ordering::Relaxed) {
            0 => Err(ProviderError::unavailable("the broker is down")),
            1 => Ok("not a token".into()),
            _ => Ok(jwt.clone()),
        }
    });
    assert_eq!(error(&identity).await.kind(), ErrorKind::Unavailable);
    assert_eq!(error(&identity).await.kind(), ErrorKind::Other);
    assert_eq!(emulator.identity().token_requests(), 0);
    token(&identity).await;
}
