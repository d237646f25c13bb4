//! A subscriber that outlives its tokens, with fred: ten messages, a second apart,
//! with tokens that live for four. Over RESP2, where each new token takes another
//! connection: none is lost and none comes twice. Over RESP3
//! (`config.version = RespVersion::RESP3`) the same program keeps its connection.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin fred_subscriber
//! ```

use std::error::Error;
use std::time::Duration;

use fred::interfaces::{ClientLike, PubsubInterface};
use fred::types::Builder;
use fred::types::config::Config;
use redis_authx::TokenManager;
use redis_authx_emulator::Emulator;
use redis_authx_fred::BuilderExt;
use redis_authx_tokio::Tokio;

const MESSAGES: u64 = 10;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_secs(4))
        .start()
        .await?;
    let manager = TokenManager::builder(emulator.client_secret_identity()?).spawn(Tokio)?;
    let config = Config::from_url(emulator.redis_url())?;
    let builder = Builder::from_config(config).credentials(manager.credentials());

    let subscriber = builder.build_subscriber()?;
    let mut messages = subscriber.message_rx();
    subscriber.init().await?;
    subscriber.subscribe("orders").await?;

    let publisher = builder.build()?;
    publisher.init().await?;
    let publishing = async {
        for order in 0..MESSAGES {
            let _: u64 = publisher.publish("orders", order.to_string()).await?;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        Ok::<_, fred::error::Error>(())
    };
    let receiving = async {
        for order in 0..MESSAGES {
            let message = messages.recv().await?;
            let generation = subscriber.status().map_or(0, |status| status.generation);
            println!("order {:?}, token {generation}", message.value);
            assert_eq!(message.value.convert::<u64>()?, order);
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let (published, received) = tokio::join!(publishing, receiving);
    published?;
    received?;

    assert_eq!(subscriber.gaps(), 0);
    subscriber.quit().await;
    publisher.quit().await?;
    assert_eq!(emulator.redis().closed_by_expiry(), 0);
    Ok(())
}
