//! One rotation of many connections, as the gateway sees it.

use std::time::{Duration, Instant};

use clap::Args;
use redis_authx::{ConnectionStatus, TokenManager};
use redis_authx_emulator::{Emulator, Store};
use redis_authx_tokio::Tokio;
use tokio::runtime::Runtime;
use tokio::time::sleep;

use crate::report::{Kind, Report, row};
use crate::support::{ClientName, refresh_after};
use crate::{fred, redis};

/// Long enough that opening all of them takes a part of it only.
const LIFETIME: Duration = Duration::from_secs(60);
/// The default of [`ReauthPolicy`](redis_authx::ReauthPolicy): of the time left at the rotation.
const STAGGER: f64 = 0.25;
const IN_FLIGHT: u64 = 64;
const PARTS: usize = 10;

/// Whose rotation it is.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Options {
    /// Whose connections: 1,000 of redis-rs, or a pool of 32 of fred.
    #[arg(long, value_enum, default_value_t)]
    client: ClientName,
}

/// Open connections that renew themselves.
pub(crate) trait Fleet: Sized {
    const CONNECTIONS: usize;

    async fn open(url: &str, manager: &TokenManager) -> Self;

    fn statuses(&self) -> Vec<ConnectionStatus>;

    fn has_any_of(&self, generation: u64) -> bool {
        let statuses = self.statuses();
        statuses.iter().any(|one| one.generation == generation)
    }
}

/// When each connection logged in again.
struct Rotation {
    /// Seconds after the first of them, in order.
    times: Vec<f64>,
    window: f64,
    least_margin: f64,
    most_a_connection: u64,
    peak_in_flight: u64,
    closed_by_expiry: u64,
}

pub(crate) fn run(report: &mut Report, options: Options) {
    match options.client {
        ClientName::Redis => of::<redis::Fleet>(report),
        ClientName::Fred => of::<fred::Fleet>(report),
    }
}

fn of<F: Fleet>(report: &mut Report) {
    let runtime = Runtime::new().expect("a runtime");
    let rotation = runtime.block_on(rotation::<F>());
    report.line(format!(
        "one rotation of {} connections, spread over {:.1} s",
        F::CONNECTIONS,
        rotation.window
    ));
    let mut rows = vec![row(["part of the window", "AUTHs"])];
    let shares: Vec<usize> = (0..PARTS).map(|part| rotation.within(part)).collect();
    for (part, share) in shares.iter().enumerate() {
        let title = format!("{} to {} %", part * 10, (part + 1) * 10);
        rows.push(row([&title, &share.to_string()]));
    }
    report.table(&rows);
    let last = rotation.times.last().copied().unwrap_or(f64::NAN);
    let count = |report: &mut Report, target: &str, found: String, met: bool| {
        report.target(Kind::Count, target, &found, met);
    };
    count(
        report,
        "one AUTH a connection",
        format!(
            "{} connections, at most {}",
            rotation.times.len(),
            rotation.most_a_connection
        ),
        rotation.times.len() == F::CONNECTIONS && rotation.most_a_connection == 1,
    );
    count(
        report,
        "at most 64 log-ins in flight",
        rotation.peak_in_flight.to_string(),
        rotation.peak_in_flight <= IN_FLIGHT,
    );
    count(
        report,
        "none closed by expiry",
        format!(
            "{}, the tightest with {:.1} s to spare",
            rotation.closed_by_expiry, rotation.least_margin
        ),
        rotation.closed_by_expiry == 0,
    );
    report.target(
        Kind::Time,
        "spread over the whole window, and no more",
        &format!("{:.2} of it", last / rotation.window),
        (0.9..1.1).contains(&(last / rotation.window)),
    );
    let most = shares.iter().max().copied().unwrap_or(0);
    report.target(
        Kind::Time,
        "evenly: at most 15 % of them in a tenth of it",
        &format!("{:.1} %", 100.0 * most as f64 / F::CONNECTIONS as f64),
        most * 100 <= F::CONNECTIONS * 15,
    );
}

impl Rotation {
    /// How many came in that tenth of the window; the last has the rest.
    fn within(&self, part: usize) -> usize {
        let begin = self.window * part as f64 / PARTS as f64;
        let end = self.window * (part + 1) as f64 / PARTS as f64;
        let in_part = |time: &&f64| **time >= begin && (**time < end || part + 1 == PARTS);
        self.times.iter().filter(in_part).count()
    }
}

async fn rotation<F: Fleet>() -> Rotation {
    let emulator = Emulator::builder()
        .token_lifetime(LIFETIME)
        .store(Store::Embedded)
        .start()
        .await
        .expect("the emulator starts");
    let manager = TokenManager::builder(emulator.client_secret_identity().expect("an identity"))
        .refresh_policy(refresh_after(LIFETIME / 2, LIFETIME))
        .spawn(Tokio)
        .expect("a manager");
    let fleet = F::open(emulator.redis_url(), &manager).await;
    let first = manager.status().generation;
    assert!(fleet.has_any_of(first), "opened in time");
    while manager.status().generation == first {
        sleep(Duration::from_millis(10)).await;
    }
    let rotated = Instant::now();
    let statuses = fleet.statuses();
    // The first of them may have the new token already.
    let old = statuses.iter().find(|status| status.generation == first);
    let left = old.and_then(|status| status.expires_in).unwrap_or_default();
    while fleet.has_any_of(first) && rotated.elapsed() < LIFETIME {
        sleep(Duration::from_millis(50)).await;
    }
    let reports = emulator.redis().connection_reports();
    let logins = reports.iter().filter_map(|one| one.last_auth_at);
    let again: Vec<Instant> = logins
        .filter(|at| *at + Duration::from_secs(1) > rotated)
        .collect();
    let begin = again.iter().min().copied().unwrap_or(rotated);
    let mut times: Vec<f64> = again
        .iter()
        .map(|at| at.duration_since(begin).as_secs_f64())
        .collect();
    times.sort_by(f64::total_cmp);
    let margins = reports.iter().filter_map(|one| one.least_margin);
    Rotation {
        times,
        window: left.as_secs_f64() * STAGGER,
        least_margin: margins.min().unwrap_or_default().as_secs_f64(),
        most_a_connection: reports
            .iter()
            .map(|one| one.auths_accepted - 1)
            .max()
            .unwrap_or(0),
        peak_in_flight: emulator.redis().peak_auths_in_flight(),
        closed_by_expiry: emulator.redis().closed_by_expiry(),
    }
}
