//! An identity provider of your own: here, a broker that leases accounts.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin custom_provider
//! ```

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use redis_authx::{
    IdentityProvider, ProviderError, Token, TokenManager, TokenRequest, async_trait,
};
use redis_authx_tokio::Tokio;

/// Stands for whatever hands out short-lived passwords where you work.
#[derive(Debug, Default)]
struct Broker {
    leases: AtomicU64,
}

struct Lease {
    user: String,
    password: String,
    ttl: Duration,
}

impl Broker {
    /// The second request fails, as requests do.
    async fn lease(&self) -> Result<Lease, &'static str> {
        match self.leases.fetch_add(1, Ordering::Relaxed) {
            1 => Err("the broker is restarting"),
            number => Ok(Lease {
                user: "orders".to_owned(),
                password: format!("lease-{number}"),
                ttl: Duration::from_secs(2),
            }),
        }
    }
}

#[async_trait]
impl IdentityProvider for Broker {
    async fn request_token(&self, _request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let lease = self.lease().await.map_err(ProviderError::unavailable)?;
        Ok(Token::new(lease.user, lease.password).expires_in(lease.ttl))
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let manager = TokenManager::builder(Broker::default()).spawn(Tokio)?;
    let mut credentials = manager.credentials();
    for _ in 0..3 {
        let token = credentials.changed().await?;
        println!(
            "token {} of {}: {token:?}",
            token.generation(),
            token.username()
        );
    }
    let status = manager.status();
    println!("{} requests failed, and nobody noticed", status.failures);
    Ok(())
}
