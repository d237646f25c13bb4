//! A deterministic test of a custom provider: no runtime, no sleeping.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin manual_clock
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};

use redis_authx::testing::{ManualClock, hours, minutes, seconds};
use redis_authx::{
    IdentityProvider, ProviderError, Token, TokenManager, TokenRequest, async_trait,
};

/// The code under test: every second request fails.
#[derive(Debug, Default)]
struct Flaky(AtomicU64);

#[async_trait]
impl IdentityProvider for Flaky {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        match self.0.fetch_add(1, Ordering::Relaxed) {
            odd if odd % 2 == 1 => Err(ProviderError::unavailable("try again")),
            even => Ok(Token::new("app", format!("secret-{even}")).expires_in(hours(1))),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let time = ManualClock::new();
    let (manager, driver) = TokenManager::builder(Flaky::default()).build(&time);
    let credentials = manager.credentials();
    let mut run = time.run(driver);

    assert_eq!(credentials.current()?.password(), "secret-0");

    // After 45 minutes of an hour, the token is renewed. The refresh fails once and is
    // retried, while the old token stays in use.
    run.advance(minutes(45));
    run.advance(seconds(1));
    assert_eq!(credentials.current()?.password(), "secret-2");
    assert_eq!(manager.status().failures, 1);

    // A laptop is closed overnight. The first use in the morning compares the clocks:
    // the token has expired, so it is not handed out, and a new one is requested.
    time.suspend(hours(9));
    assert!(credentials.current().is_err());
    run.advance(seconds(1));
    assert_eq!(credentials.current()?.password(), "secret-4");

    println!(
        "ten hours of renewal, tested in no time: {:?}",
        manager.status()
    );
    Ok(())
}
