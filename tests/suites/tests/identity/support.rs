//! What the cases share.

use std::error::Error;

use redis_authx::{IdentityProvider, ProviderError, Token, TokenRequest};
use redis_authx_emulator::Emulator;
pub(crate) use redis_authx_suites::PATIENCE;
use redis_authx_tokio::Tokio;

use crate::contract::Flow;

/// An emulator that needs nothing installed, and an identity of the flow.
pub(crate) async fn signed_up<F: Flow>() -> (Emulator, F::Identity) {
    let emulator = Emulator::builder().start().await.unwrap();
    let identity = F::identity(&emulator).await;
    (emulator, identity)
}

/// One attempt, which must end.
pub(crate) async fn ask(identity: &impl IdentityProvider) -> Result<Token, ProviderError> {
    let request = TokenRequest::new(&Tokio, PATIENCE);
    let answer = tokio::time::timeout(PATIENCE, identity.request_token(&request)).await;
    answer.expect("an answer of either kind")
}

/// One attempt that gets a token.
pub(crate) async fn token(identity: &impl IdentityProvider) -> Token {
    match ask(identity).await {
        Ok(token) => token,
        Err(error) => panic!("{}", everything(&error)),
    }
}

/// One attempt that fails.
pub(crate) async fn error(identity: &impl IdentityProvider) -> ProviderError {
    ask(identity).await.expect_err("an error")
}

/// An error with all that stands behind it, in every form it can be shown.
pub(crate) fn everything(error: &(dyn Error + 'static)) -> String {
    let mut text = format!("{error}\n{error:?}\n{error:#?}\n");
    if let Some(source) = error.source() {
        text += &everything(source);
    }
    text
}
