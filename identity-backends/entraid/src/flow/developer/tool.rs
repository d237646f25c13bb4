use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use redis_authx::ProviderError;

use super::error::{ToolError, ToolErrorKind};
use super::process::{self, Failure, Output};
use super::settings::ToolSettings;
use super::{Printed, program};
use crate::environment::Environment;

/// What sets one tool apart from another.
#[derive(Debug)]
pub(super) struct Kind {
    pub(super) program: &'static str,
    /// What its file may be called on this system.
    pub(super) files: &'static [&'static str],
    /// How to sign in, for people.
    pub(super) sign_in: &'static str,
    /// What its error output holds when nobody is signed in.
    pub(super) signed_out: &'static [&'static str],
    /// What it needs, for people.
    pub(super) needs: &'static str,
    /// What its error output holds when it does not know what it is asked.
    pub(super) outdated: &'static [&'static str],
    /// How to see its own error text, for people.
    pub(super) by_hand: &'static str,
    /// Reads what it printed.
    pub(super) read: fn(&[u8]) -> Result<Printed, ToolErrorKind>,
}

/// A tool to ask.
#[derive(Debug)]
pub(super) struct Tool {
    kind: &'static Kind,
    program: Option<PathBuf>,
    time_limit: Duration,
    environment: Environment,
}

impl Tool {
    pub(super) fn new(kind: &'static Kind, settings: ToolSettings) -> Self {
        Self {
            kind,
            program: settings.program,
            time_limit: settings.time_limit,
            environment: settings.environment,
        }
    }

    /// Runs it once.
    pub(super) async fn ask(&self, arguments: &[String]) -> Result<Printed, ProviderError> {
        let find = || program::find(self.kind.files, &self.environment);
        let Some(program) = self.program.clone().or_else(find) else {
            return Err(self.error(ToolErrorKind::NotInstalled).into());
        };
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(program::folder(&self.environment));
        let output = process::run(command, self.time_limit)
            .await
            .map_err(|failure| match failure {
                Failure::Abandoned | Failure::TimedOut => ToolErrorKind::TimedOut,
                Failure::Busy => ToolErrorKind::Busy,
                Failure::NotFound => ToolErrorKind::NotInstalled,
                Failure::NotStarted => ToolErrorKind::NotStarted,
                Failure::TooMuchOutput => ToolErrorKind::TooMuchOutput,
            })
            .map_err(|kind| self.error(kind))?;
        if !output.status.success() {
            return Err(self.refusal(&output).into());
        }
        (self.kind.read)(&output.stdout).map_err(|kind| self.error(kind).into())
    }

    fn error(&self, kind: ToolErrorKind) -> ToolError {
        let help = match kind {
            ToolErrorKind::NotSignedIn => self.kind.sign_in,
            ToolErrorKind::Outdated => self.kind.needs,
            _ => self.kind.by_hand,
        };
        ToolError::new(kind, self.kind.program)
            .with_help(help)
            .with_limit(self.time_limit)
    }

    /// Why it ended with an error. Of its output only an `AADSTS` number is
    /// kept.
    fn refusal(&self, output: &Output) -> ToolError {
        // Each tool has its own idea of where errors go.
        let text = [&*output.stderr, &*output.stdout].map(|bytes| String::from_utf8_lossy(bytes));
        let holds = |hints: &[&str]| {
            let one = |hint: &&str| text.iter().any(|text| text.contains(*hint));
            hints.iter().any(one)
        };
        let exit_code = output.status.code();
        let aadsts = text.iter().find_map(|text| aadsts(text));
        let passes = aadsts
            .and_then(crate::error::kind_of_code)
            .is_some_and(redis_authx::ErrorKind::is_transient);
        let kind = match exit_code {
            // What shells say when a wrapper's program is gone.
            Some(127) => ToolErrorKind::NotInstalled,
            _ if passes => ToolErrorKind::Failed,
            _ if holds(self.kind.signed_out) => ToolErrorKind::NotSignedIn,
            _ if holds(self.kind.outdated) => ToolErrorKind::Outdated,
            _ => ToolErrorKind::Failed,
        };
        self.error(kind).with_codes(exit_code, aadsts)
    }
}

/// The number after the first `AADSTS`.
fn aadsts(text: &str) -> Option<u32> {
    let (_, rest) = text.split_once("AADSTS")?;
    let end = rest
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(rest.len());
    rest[..end].parse().ok()
}
