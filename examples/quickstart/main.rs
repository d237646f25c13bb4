//! See it work, with nothing else installed: an identity service and a Redis
//! whose tokens live for three seconds, and one connection that outlives them.
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin quickstart -- --seconds 20
//! ```

mod load;
mod outage;
mod summary;
mod timeline;

use std::error::Error;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use redis_authx::TokenManager;
use redis_authx_emulator::{Emulator, Store};
use redis_authx_redis::AuthClient;
use redis_authx_tokio::Tokio;

use load::Load;
use summary::Summary;
use timeline::Timeline;

/// How long a token lives here; in Azure it is an hour or more.
const LIFETIME: Duration = Duration::from_secs(3);

/// Keeps a Redis connection logged in while its tokens expire.
#[derive(Debug, Parser)]
struct Args {
    /// How long to run.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=3600))]
    seconds: u64,
    /// Use a real redis-server, which must be installed, behind the gateway.
    #[arg(long)]
    redis_server: bool,
    /// Take the identity service down for so many seconds in the middle.
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=60))]
    outage: Option<u64>,
}

async fn run(args: Args) -> Result<Summary, Box<dyn Error>> {
    let store = if args.redis_server {
        Store::RedisServer
    } else {
        Store::Embedded
    };
    let emulator = Emulator::builder()
        .token_lifetime(LIFETIME)
        .store(store)
        .start()
        .await?;

    let timeline = Timeline::start();
    let manager = TokenManager::builder(emulator.client_secret_identity()?)
        .observer(timeline.observer())
        .spawn(Tokio)?;
    let client = AuthClient::open(emulator.redis_url(), manager.credentials())?;
    let connection = client.manager().await?;

    let load = Load::start(&connection, &manager.credentials());
    let length = Duration::from_secs(args.seconds);
    let outage = args.outage.map(Duration::from_secs);
    let outage = outage::run(&emulator, &timeline, &load, &manager, length, outage);
    let (back, ()) = tokio::join!(outage, timeline.report_for(length, &load, &manager));
    Ok(Summary::new(length, &timeline, load.stop().await, back).await)
}

#[tokio::main]
async fn main() -> ExitCode {
    match run(Args::parse()).await {
        Ok(summary) => {
            println!("{summary}");
            summary.exit_code()
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
