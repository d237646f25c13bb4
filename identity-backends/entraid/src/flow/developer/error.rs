use std::fmt;
use std::time::Duration;

use redis_authx::{ErrorKind, ProviderError};

/// Why a developer's tool gave no token: the source of a [`ProviderError`].
///
/// The texts are this crate's own. What the tool printed is not kept: it may
/// hold a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolError {
    kind: ToolErrorKind,
    program: &'static str,
    /// How the tool is signed in to, or what it needs.
    help: &'static str,
    exit_code: Option<i32>,
    aadsts: Option<u32>,
    limit: Duration,
}

/// What went wrong with a tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ToolErrorKind {
    /// It can't be started at the moment: the machine is short of memory,
    /// processes or open files, or the tool is being updated.
    Busy,
    /// It ended with an error that this crate does not know.
    Failed,
    /// It is not there.
    NotInstalled,
    /// Nobody is signed in to it, or has to do so again.
    NotSignedIn,
    /// It is there, but can't be started.
    NotStarted,
    /// It is too old, or lacks a part that gets tokens.
    Outdated,
    /// It printed more than a token can be.
    TooMuchOutput,
    /// It took too long and was ended.
    TimedOut,
    /// What it printed is not a token in the form that was asked for.
    Unreadable,
}

impl ToolError {
    pub(super) const fn new(kind: ToolErrorKind, program: &'static str) -> Self {
        Self {
            kind,
            program,
            help: "",
            exit_code: None,
            aadsts: None,
            limit: Duration::ZERO,
        }
    }

    pub(super) const fn with_help(mut self, help: &'static str) -> Self {
        self.help = help;
        self
    }

    pub(super) const fn with_codes(mut self, exit: Option<i32>, aadsts: Option<u32>) -> Self {
        self.exit_code = exit;
        self.aadsts = aadsts;
        self
    }

    pub(super) const fn with_limit(mut self, limit: Duration) -> Self {
        self.limit = limit;
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ToolErrorKind {
        self.kind
    }

    /// The tool: `az`, `azd` or `pwsh`.
    #[must_use]
    pub const fn program(&self) -> &'static str {
        self.program
    }

    /// The number of the first `AADSTS` code among what the tool printed as
    /// its error.
    #[must_use]
    pub const fn aadsts(&self) -> Option<u32> {
        self.aadsts
    }
}

impl From<ToolError> for ProviderError {
    fn from(error: ToolError) -> Self {
        let by_code = error.aadsts.and_then(crate::error::kind_of_code);
        let kind = match error.kind {
            ToolErrorKind::Failed => by_code.unwrap_or(ErrorKind::Other),
            ToolErrorKind::Busy => ErrorKind::Other,
            // Entra ID has refused a sign-in that there was.
            ToolErrorKind::NotSignedIn if error.aadsts.is_some() => ErrorKind::Rejected,
            ToolErrorKind::NotInstalled | ToolErrorKind::NotSignedIn | ToolErrorKind::Outdated => {
                ErrorKind::NotConfigured
            }
            ToolErrorKind::NotStarted => ErrorKind::Misconfigured,
            ToolErrorKind::TooMuchOutput | ToolErrorKind::Unreadable => ErrorKind::InvalidResponse,
            ToolErrorKind::TimedOut => ErrorKind::Timeout,
        };
        Self::new(kind).with_source(error)
    }
}

impl fmt::Display for ToolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { program, help, .. } = self;
        match self.kind {
            ToolErrorKind::Busy => write!(
                f,
                "`{program}` can't be started at the moment; see whether this machine is short of \
                 memory, processes or open files, or `{program}` is being updated"
            ),
            ToolErrorKind::Failed => {
                write!(f, "`{program}` failed")?;
                if let Some(code) = self.exit_code {
                    write!(f, " with exit code {code}")?;
                }
                if let Some(number) = self.aadsts {
                    write!(f, ", AADSTS{number}")?;
                }
                write!(f, "; to see why, ask it by hand: {help}")
            }
            ToolErrorKind::NotInstalled => write!(
                f,
                "`{program}` is in none of the PATH's absolute folders; install it, or name it \
                 with `program`"
            ),
            ToolErrorKind::NotSignedIn => {
                write!(
                    f,
                    "nobody is signed in to `{program}`, or not any more: {help}"
                )
            }
            ToolErrorKind::NotStarted => {
                write!(f, "`{program}` can't be started; check that it is whole")
            }
            ToolErrorKind::Outdated => write!(f, "`{program}` can't get a token as it is: {help}"),
            ToolErrorKind::TooMuchOutput => {
                write!(f, "`{program}` printed more than a token can be")
            }
            ToolErrorKind::TimedOut => {
                write!(
                    f,
                    "`{program}` gave no answer within {:?} and was ended",
                    self.limit
                )
            }
            ToolErrorKind::Unreadable => {
                write!(
                    f,
                    "what `{program}` printed is not a token as it was asked for"
                )
            }
        }
    }
}

impl std::error::Error for ToolError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_busy_passes_and_what_can_not_start_does_not() {
        for (kind, for_the_manager) in [
            (ToolErrorKind::Busy, ErrorKind::Other),
            (ToolErrorKind::NotStarted, ErrorKind::Misconfigured),
        ] {
            let error = ProviderError::from(ToolError::new(kind, "az"));
            assert_eq!(error.kind(), for_the_manager);
        }
        assert!(ErrorKind::Other.is_transient());
    }
}
