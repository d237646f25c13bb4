//! A person signs in with a browser, once; the program stays logged in to Redis
//! as them for as long as it runs.
//!
//! ```sh
//! export AZURE_TENANT_ID=… AZURE_CLIENT_ID=…   # a public client with the redirect URI http://localhost
//! export REDIS_URL=rediss://name.region.redis.azure.net:10000
//! cargo run -p redis-authx-examples --bin sign_in
//! ```

use std::error::Error;

use redis::AsyncCommands;
use redis_authx::TokenManager;
use redis_authx_entraid::{Authority, AuthorizationCode, SignInError};
use redis_authx_redis::AuthClient;
use redis_authx_tokio::Tokio;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let [tenant, client, url] = ["AZURE_TENANT_ID", "AZURE_CLIENT_ID", "REDIS_URL"].map(|name| {
        std::env::var(name).map_err(|_| format!("{name} is not set; see the top of this file"))
    });

    let mut sign_in = AuthorizationCode::new(client?)
        .authority(Authority::tenant(tenant?))
        .listen()?;
    println!("Sign in at {}", sign_in.url());
    let identity = match sign_in.finish(&Tokio).await {
        Ok(identity) => identity,
        Err(SignInError::Cancelled) => return Err("nobody signed in".into()),
        Err(error) => return Err(error.into()),
    };

    let manager = TokenManager::builder(identity).spawn(Tokio)?;
    let client = AuthClient::open(url?, manager.credentials())?;
    let mut connection = client.multiplexed().await?;
    let visits: u64 = connection.incr("redis-authx:visits", 1).await?;
    println!("Logged in. This is visit {visits}.");
    Ok(())
}
