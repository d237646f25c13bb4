//! What to paste for a real Azure Managed Redis.
//!
//! ```sh
//! export AZURE_TENANT_ID=… AZURE_CLIENT_ID=… AZURE_CLIENT_SECRET=…
//! export REDIS_URL=rediss://name.region.redis.azure.net:10000
//! cargo run -p redis-authx-examples --bin azure
//! ```

use std::error::Error;
use std::process::ExitCode;

use redis::AsyncCommands;
use redis_authx::{Event, TokenManager};
use redis_authx_entraid::{Authority, ClientSecret};
use redis_authx_redis::AuthClient;
use redis_authx_tokio::Tokio;

async fn run() -> Result<(), Box<dyn Error>> {
    let identity = ClientSecret::new(
        setting("AZURE_CLIENT_ID", "the application (client) id")?,
        setting("AZURE_CLIENT_SECRET", "a client secret of that application")?,
    )
    .authority(Authority::tenant(setting(
        "AZURE_TENANT_ID",
        "the directory (tenant) id",
    )?))
    .build()?;
    let url = setting(
        "REDIS_URL",
        "like rediss://name.region.redis.azure.net:10000",
    )?;

    let manager = TokenManager::builder(identity)
        .observer(|event: &Event| eprintln!("{event:?}"))
        .spawn(Tokio)?;
    let client = AuthClient::open(url, manager.credentials())?;
    let mut connection = client.multiplexed().await?;

    let visits: u64 = connection.incr("redis-authx:visits", 1).await?;
    let status = manager.status();
    println!(
        "Logged in. This is visit {visits}; the token lives for {:?}.",
        status.expires_in
    );
    Ok(())
}

/// A setting from the environment; when it is missing, says what it is.
fn setting(name: &str, what: &str) -> Result<String, String> {
    std::env::var(name)
        .ok()
        .filter(|value| !value.trim().is_empty())
        .ok_or_else(|| format!("{name} is not set: {what}"))
}

#[tokio::main]
async fn main() -> ExitCode {
    let Err(error) = run().await else {
        return ExitCode::SUCCESS;
    };
    eprintln!("error: {error}");
    let mut behind = error.source();
    while let Some(cause) = behind {
        eprintln!("  because: {cause}");
        behind = cause.source();
    }
    ExitCode::FAILURE
}
