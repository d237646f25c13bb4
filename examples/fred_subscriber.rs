//! A subscriber of fred's that outlives its tokens, in RESP3: ten messages, a
//! second apart, on one connection whose tokens live for four.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin fred_subscriber
//! ```

use std::error::Error;
use std::time::Duration;

use fred::interfaces::{ClientLike, EventInterface, PubsubInterface};
use fred::types::config::Config;
use fred::types::{Builder, RespVersion};
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
    let mut config = Config::from_url(emulator.redis_url())?;
    config.version = RespVersion::RESP3;
    let builder = Builder::from_config(config).credentials(manager.credentials());

    let subscriber = builder.build_subscriber_client()?;
    let mut messages = subscriber.message_rx();
    subscriber.init().await?;
    subscriber.subscribe("orders").await?;
    // Subscribes anew after a reconnect.
    let subscriptions = subscriber.manage_subscriptions();

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
            let message = messages.recv().await.map_err(|error| error.to_string())?;
            let generation = manager.status().generation;
            println!("order {:?}, token {generation}", message.value);
            assert_eq!(message.value.convert::<u64>()?, order);
        }
        Ok::<_, Box<dyn Error>>(())
    };
    let (published, received) = tokio::join!(publishing, receiving);
    published?;
    received?;

    subscriptions.abort();
    subscriber.quit().await?;
    publisher.quit().await?;
    assert_eq!(emulator.redis().closed_by_expiry(), 0);
    assert_eq!(emulator.redis().connections_accepted(), 2);
    Ok(())
}
