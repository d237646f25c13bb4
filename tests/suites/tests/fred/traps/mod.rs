//! What fred 10.1 does by itself where it is not what one would expect, so that
//! a fixed fred is noticed. By itself: its own refresh, which asks a provider for
//! the credentials at every tick, and sends them.
//!
//! | | the trap | the adapter is right |
//! |---|---|---|
//! | 1 | `cluster::a_tick_sends_no_credentials_in_resp3` | `crate::cluster::resp3_is_no_different` |
//! | 2 | `server::a_tick_puts_an_old_token_in_the_place_of_a_newer_one` | `server::no_auth_of_ours_is_replayed` |
//! | 3 | `server::a_tick_waits_behind_a_block` | `crate::blocked::a_block_goes_on_over_rotations` |
//! | 4 | `cluster::a_tick_does_not_reach_the_backchannel` | `crate::cluster::a_failover_fails_no_command` |
//! | 5 | `pools::a_pool_has_no_auth_and_a_tick_a_client` | `crate::rotations::a_pool_of_32_is_staggered` |
//! | 6 | `reconnection` | `reconnection::a_client_without_a_policy_is_not_ended_by_us`, `crate::rotations::a_client_lives_through_rotations` |
//! | 7 | `crate::subscribers::fred_can_not_re_authenticate_a_subscriber_over_resp2` | `crate::subscribers` |
//! | 8 | `overlap::a_clone_takes_over_without_a_gap_and_doubles` | `crate::handovers` |
//! | 9 | `server::a_tick_gets_into_a_raw_multi` | `crate::transactions` |

mod cluster;
mod overlap;
mod pools;
mod reconnection;
mod server;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use fred::clients::Client;
use fred::interfaces::ClientLike;
use fred::types::config::{Config, CredentialProvider, Server};
use redis_authx::{Credentials, async_trait};

use crate::site::{Site, at_once};

/// A client of fred's that logs in with the tokens, and is not attached.
async fn stock(site: &Site, mut config: Config) -> Client {
    site.renewal.provide(&mut config).unwrap();
    let client = Client::new(config, None, None, Some(at_once()));
    client.init().await.unwrap();
    client
}

/// fred's own refresh: the credentials of then are sent every `interval`.
#[derive(Clone, Debug)]
struct Ticking {
    credentials: Credentials,
    interval: Duration,
    ticks: Arc<AtomicU64>,
}

impl Ticking {
    fn every(interval: Duration, site: &Site) -> Self {
        Self {
            credentials: site.manager.credentials(),
            interval,
            ticks: Arc::default(),
        }
    }

    fn of(&self, mut config: Config) -> Config {
        config.credential_provider = Some(Arc::new(self.clone()));
        config
    }

    async fn client(&self, config: Config) -> Client {
        let client = Client::new(self.of(config), None, None, Some(at_once()));
        client.init().await.unwrap();
        client
    }

    fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl CredentialProvider for Ticking {
    async fn fetch(
        &self,
        server: Option<&Server>,
    ) -> Result<(Option<String>, Option<String>), fred::error::Error> {
        if server.is_none() {
            self.ticks.fetch_add(1, Ordering::SeqCst);
        }
        let token = self.credentials.get(Duration::from_secs(10)).await.unwrap();
        let (user, password) = (token.username().to_owned(), token.password().to_owned());
        Ok((Some(user), Some(password)))
    }

    fn refresh_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }
}

/// How often each connection got another token than it had, in the order of
/// arrival; its first counts.
fn changes(site: &Site) -> Vec<u64> {
    let reports = site.emulator.redis().connection_reports();
    let changes = reports
        .iter()
        .map(|report| report.auths_accepted - report.auths_with_same_token);
    changes.collect()
}
