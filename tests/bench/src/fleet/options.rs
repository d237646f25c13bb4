use std::time::Duration;

use clap::Args;

use super::time::{Spell, span};

/// A fleet, the services that it uses, and what befalls them.
#[derive(Args, Clone, Debug, PartialEq)]
pub(crate) struct Options {
    /// Small enough for a few seconds, a quiet day before a bad one.
    #[arg(long)]
    pub(super) smoke: bool,
    /// Instead: token requests alone, in outages of 10 min to 2 h, by three rules.
    #[arg(long)]
    pub(super) outages: bool,
    /// Decides everything that is random.
    #[arg(long, default_value_t = 1)]
    pub(super) seed: u64,
    #[arg(long, default_value_t = 100_000)]
    pub(super) processes: u32,
    /// Connections of each process.
    #[arg(long, default_value_t = 10)]
    pub(super) connections: u32,
    /// Hours to simulate.
    #[arg(long, default_value_t = 24)]
    pub(super) hours: u64,
    /// Within this time all processes start.
    #[arg(long, value_parser = span, default_value = "15m")]
    pub(super) ramp: Duration,
    /// The shortest life of a token …
    #[arg(long, value_parser = span, default_value = "60m")]
    pub(super) shortest: Duration,
    /// … and the longest.
    #[arg(long, value_parser = span, default_value = "90m")]
    pub(super) longest: Duration,
    /// Token requests a second that the identity service answers, the others
    /// get 429; default: a 200th of the processes, 20 at least.
    #[arg(long)]
    pub(super) token_rate: Option<u32>,
    /// The Retry-After of a 429.
    #[arg(long, value_parser = span, default_value = "10s")]
    pub(super) retry_after: Duration,
    /// AUTHs a second that the server validates, the others queue; default: a
    /// 200th of the connections, 1000 at least.
    #[arg(long)]
    pub(super) auth_rate: Option<u32>,
    /// The share of AUTHs that fail for no reason of their own.
    #[arg(long, default_value_t = 0.0001)]
    pub(super) auth_failures: f64,
    /// Outages of the identity service, as 16h+2h (may be repeated); default:
    /// 6h+10m and 16h+2h.
    #[arg(long, value_parser = Spell::parse)]
    pub(super) outage: Vec<Spell>,
    /// When the server validates nothing; default: 12h+20s.
    #[arg(long, value_parser = Spell::parse)]
    pub(super) stall: Vec<Spell>,
    /// Neither outages nor stalls.
    #[arg(long, conflicts_with_all = ["outage", "stall"])]
    pub(super) quiet: bool,
}

impl Options {
    /// With every default filled in.
    pub(super) fn resolved(mut self) -> Self {
        let spells = |texts: &[&str]| texts.iter().flat_map(|text| Spell::parse(text)).collect();
        if self.smoke {
            self.processes = self.processes.min(1_000);
            self.smoke = false;
        }
        self.processes = self.processes.max(1);
        self.longest = self.longest.max(self.shortest);
        let links = self.links();
        self.token_rate
            .get_or_insert_with(|| (self.processes / 200).max(20));
        self.auth_rate
            .get_or_insert_with(|| (links / 200).max(1_000));
        if !self.quiet && self.outage.is_empty() {
            self.outage = spells(&["6h+10m", "16h+2h"]);
        }
        if !self.quiet && self.stall.is_empty() {
            self.stall = spells(&["12h+20s"]);
        }
        self.outage.sort_by_key(|spell| spell.from);
        self
    }

    /// The same without outages and stalls.
    pub(super) fn quieted(mut self) -> Self {
        self.quiet = true;
        self.outage.clear();
        self.stall.clear();
        self
    }

    /// Connections of all processes.
    pub(super) const fn links(&self) -> u32 {
        self.processes.saturating_mul(self.connections)
    }
}
