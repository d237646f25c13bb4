//! A pool.

use std::marker::PhantomData;
use std::time::Duration;

use fred::clients::{Client, Pool};
use fred::interfaces::{AuthInterface, ClientLike};
use redis_authx_suites::Bed;

use super::Ticking;
use crate::site::{Site, at_once};

struct Type<T>(PhantomData<T>);

/// Whether a type has `auth()`: the inherent constant goes before the trait's,
/// where it exists.
trait NoAuth {
    const HAS_AUTH: bool = false;
}

impl<T> NoAuth for Type<T> {}

impl<T: AuthInterface> Type<T> {
    const HAS_AUTH: bool = true;
}

/// Trap 5: nobody can re-authenticate a pool as such, and each of its clients
/// asks for the credentials by itself, at every tick.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_has_no_auth_and_a_tick_a_client() {
    const SIZE: usize = 4;
    const { assert!(Type::<Client>::HAS_AUTH) };
    let pool_has = Type::<Pool>::HAS_AUTH;
    assert!(!pool_has);

    let site = Site::start(Bed::builder().calm()).await;
    let ticking = Ticking::every(Duration::from_millis(50), &site);
    let pool = Pool::new(ticking.of(site.config()), None, None, Some(at_once()), SIZE);
    let pool = pool.unwrap();
    pool.init().await.unwrap();
    let auths = || {
        let reports = site.emulator.redis().connection_reports();
        let auths = reports.iter().map(|report| report.auths_accepted - 1);
        auths.collect::<Vec<u64>>()
    };
    site.until("every client had its ticks", |_| {
        auths().iter().filter(|&&auths| auths >= 3).count() == SIZE
    })
    .await;
    let sent: u64 = auths().iter().sum();
    assert!(ticking.ticks() >= sent, "one asked for several");
    pool.quit().await.unwrap();
}
