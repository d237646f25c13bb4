//! A web service with a pool of fred's clients, whose `/healthz` says how its
//! token is doing. Against the emulator, with tokens of a few seconds:
//!
//! ```sh
//! cargo run -p redis-authx-examples --bin fred_axum
//! curl http://127.0.0.1:3000/hits http://127.0.0.1:3000/healthz
//! ```

use std::error::Error;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use fred::clients::Pool;
use fred::interfaces::{ClientLike, KeysInterface};
use fred::types::Builder;
use fred::types::config::Config;
use redis_authx::{ManagerState, TokenManager};
use redis_authx_emulator::Emulator;
use redis_authx_fred::BuilderExt;
use redis_authx_tokio::Tokio;
use tokio::net::TcpListener;

#[derive(Clone)]
struct Service {
    manager: TokenManager,
    redis: Pool,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let emulator = Emulator::builder()
        .token_lifetime(Duration::from_secs(5))
        .start()
        .await?;
    // For a real one: an identity of redis-authx-entraid, and a URL like
    // rediss://name.region.redis.azure.net:10000.
    let manager = TokenManager::builder(emulator.client_secret_identity()?).spawn(Tokio)?;
    let config = Config::from_url(emulator.redis_url())?;
    let redis = Builder::from_config(config)
        .credentials(manager.credentials())
        .build_pool(4)?;
    redis.init().await?;

    let service = Service { manager, redis };
    let routes = Router::new()
        .route("/hits", get(hits))
        .route("/healthz", get(health))
        .with_state(service.clone());
    let listener = TcpListener::bind("127.0.0.1:3000").await?;
    println!("http://{}", listener.local_addr()?);
    let stop = async {
        let _ = tokio::signal::ctrl_c().await;
    };
    axum::serve(listener, routes)
        .with_graceful_shutdown(stop)
        .await?;
    service.redis.quit().await?;
    Ok(())
}

async fn hits(State(service): State<Service>) -> Result<String, (StatusCode, String)> {
    let hits: Result<u64, _> = service.redis.incr("hits").await;
    hits.map(|hits| format!("{hits}\n"))
        .map_err(|error| (StatusCode::BAD_GATEWAY, format!("{error}\n")))
}

/// Unhealthy without a valid token: then no connection can be opened.
async fn health(State(service): State<Service>) -> (StatusCode, String) {
    let status = service.manager.status();
    let code = match status.state {
        ManagerState::Valid => StatusCode::OK,
        _ => StatusCode::SERVICE_UNAVAILABLE,
    };
    (code, format!("{status:#?}\n"))
}
