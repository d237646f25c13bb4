//! Logs in with azure_identity, as its users do: nothing in it is changed for
//! the emulator, whose address it has from `AZURE_AUTHORITY_HOST`.

use std::env;
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use azure_core::credentials::{Secret, TokenCredential};
use azure_identity::{ClientSecretCredential, ManagedIdentityCredential};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn client_secret() -> Outcome<Arc<dyn TokenCredential>> {
    Ok(ClientSecretCredential::new(
        &env::var("AZURE_TENANT_ID")?,
        env::var("AZURE_CLIENT_ID")?,
        Secret::new(env::var("AZURE_CLIENT_SECRET")?),
        None,
    )?)
}

fn managed_identity() -> Outcome<Arc<dyn TokenCredential>> {
    Ok(ManagedIdentityCredential::new(None)?)
}

/// AUTH and PING as inline commands; both replies.
fn log_in(token: &str) -> Outcome<String> {
    let payload = token.split('.').nth(1).ok_or("not a JWT")?;
    let claims: serde_json::Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload)?)?;
    let oid = claims["oid"].as_str().ok_or("no oid")?;
    let url = env::var("REDIS_PLAIN_URL")?;
    let address = url.strip_prefix("redis://").ok_or("not a Redis URL")?;
    let mut redis = TcpStream::connect(address)?;
    write!(redis, "AUTH {oid} {token}\r\nPING\r\nQUIT\r\n")?;
    let mut replies = String::new();
    redis.read_to_string(&mut replies)?;
    Ok(replies)
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    for (flow, credential) in [
        ("client secret", client_secret()?),
        ("App Service managed identity", managed_identity()?),
    ] {
        let token = credential.get_token(&["https://redis.azure.com/.default"], None).await?;
        let replies = log_in(token.token.secret())?;
        if !replies.starts_with("+OK\r\n+PONG\r\n") {
            return Err(format!("{flow}: Redis answered {replies:?}").into());
        }
        println!("azure_identity, {flow}: logged in");
    }
    Ok(())
}
