//! The command's options.

use std::path::{Path, PathBuf};

use clap::Args;

use super::situation::Situation;

/// What is compared, and where it is written.
#[derive(Args, Clone, Debug)]
pub(crate) struct Options {
    /// Every situation once and in short: shows that it runs, and fails if a part
    /// of it doesn't. Writes no files unless told where.
    #[arg(long)]
    pub(crate) smoke: bool,
    /// Only situations whose name begins so; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) only: Vec<String>,
    /// Rounds of each situation, instead of its own number.
    #[arg(long)]
    pub(crate) rounds: Option<usize>,
    /// The folder for `comparison.md` and the plots [default: that of
    /// `tests/bench/results` beside this crate, for a full run].
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
    /// What `tests/bench/footprint` printed, for build times; without it a full
    /// run counts crates only.
    #[arg(long, value_name = "FILE")]
    pub(crate) footprint: Option<PathBuf>,
    /// A README whose short table is to be brought up to date.
    #[arg(long, value_name = "FILE")]
    pub(crate) readme: Option<PathBuf>,
}

impl Options {
    /// Whether it is among those that were asked for.
    pub(crate) fn takes(&self, situation: &Situation) -> bool {
        // Without its output the script needs the network.
        if self.smoke && self.footprint.is_none() && situation.name == "footprint" {
            return false;
        }
        let begins = |name: &String| situation.name.starts_with(name.as_str());
        self.only.is_empty() || self.only.iter().any(begins)
    }

    /// How often each side is put through it.
    pub(crate) fn rounds(&self, situation: &Situation) -> usize {
        let own = match self.smoke {
            true => situation.rounds.smoke,
            false => situation.rounds.full,
        };
        self.rounds.unwrap_or(own).max(1)
    }

    /// Where files are written, if they are.
    pub(crate) fn folder(&self) -> Option<PathBuf> {
        let full = !self.smoke && self.only.is_empty();
        let checked_in = || full.then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("results"));
        self.out.clone().or_else(checked_in)
    }
}
