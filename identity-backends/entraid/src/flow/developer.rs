//! What a developer is signed in to already: a tool is run and asked for a
//! token.
//!
//! None of the tools can be asked to pass over its own cache, so a request after
//! a [`Refused`](redis_authx::RequestReason::Refused) token is like any other.
//!
//! A file a tool, which says what it is run with and how its output is read;
//! the rest is here and in the files beside.

#[macro_use]
mod setters;

mod argument;
mod azure_cli;
mod azure_developer_cli;
mod azure_powershell;
mod error;
mod process;
mod program;
mod settings;
mod tool;

use std::time::{Duration, SystemTime};

use redis_authx::{IdentityProvider, ProviderError, Token, TokenRequest, async_trait};
use zeroize::Zeroizing;

use crate::issue::TokenReader;
pub use azure_cli::AzureCli;
pub use azure_developer_cli::AzureDeveloperCli;
pub use azure_powershell::AzurePowerShell;
pub use error::{ToolError, ToolErrorKind};
use tool::Tool;

/// What a tool printed.
struct Printed {
    access_token: Zeroizing<String>,
    /// `None` where it says nothing usable: the token's own `exp` is there as
    /// well, and the earlier counts.
    expires_on: Option<SystemTime>,
}

impl Printed {
    /// `seconds` since 1970, as the tools print it.
    fn new(access_token: Zeroizing<String>, seconds: Option<u64>) -> Self {
        let expires_on = seconds
            .and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
        Self {
            access_token,
            expires_on,
        }
    }
}

#[derive(Debug)]
struct Flow {
    tool: Tool,
    /// The same each time.
    arguments: Vec<String>,
    reader: TokenReader,
}

#[async_trait]
impl IdentityProvider for Flow {
    async fn request_token(&self, request: &TokenRequest<'_>) -> Result<Token, ProviderError> {
        let printed = self.tool.ask(&self.arguments).await?;
        // No `Date` header here: the tool's clock is this machine's.
        let received = request.clock().wall();
        let left = |at: SystemTime| at.duration_since(received).unwrap_or_default();
        let expires_in = printed.expires_on.map(left);
        self.reader
            .token(printed.access_token, expires_in, None, received)
    }
}
