use redis_authx::ConfigError;

use super::settings::ToolSettings;
use super::tool::Kind;
use super::{Printed, ToolErrorKind};
use crate::EntraIdentity;
use crate::flow::settings::Settings;
use crate::json::{Object, Unreadable};

/// Signs in as whoever is signed in to the Azure Developer CLI, by running `azd
/// auth token`. For a developer's machine.
///
/// ```
/// use redis_authx_entraid::AzureDeveloperCli;
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = AzureDeveloperCli::new().build()?;
/// # Ok(())
/// # }
/// ```
///
/// `azd` is run and its token taken as [`AzureCli`](crate::AzureCli) says it of
/// `az`.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AzureDeveloperCli {
    settings: Settings,
    tool: ToolSettings,
}

impl AzureDeveloperCli {
    /// Whoever is signed in.
    pub fn new() -> Self {
        Self::default()
    }

    tool_setters! {}

    /// Builds the identity. Runs nothing, and does not look for `azd`.
    ///
    /// # Errors
    /// Names the setting that can't work: `scope`, `tenant`, `program`,
    /// `time_limit` or `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        self.tool.check(&self.settings)?;
        let mut arguments = vec!["auth", "token", "--output", "json", "--no-prompt"];
        arguments.extend(["--scope", &self.settings.scope]);
        if let Some(tenant) = &self.tool.tenant {
            arguments.extend(["--tenant-id", tenant]);
        }
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        self.tool.identity(&KIND, arguments, &self.settings)
    }
}

/// Microsoft Learn, "Azure Developer CLI reference", `azd auth token`.
static KIND: Kind = Kind {
    program: "azd",
    files: if cfg!(windows) {
        &["azd.exe", "azd.cmd"]
    } else {
        &["azd"]
    },
    sign_in: "`azd auth login`",
    // In the `data.message` of a line of JSON, where nothing in it is escaped.
    signed_out: &["azd auth login"],
    needs: "update the Azure Developer CLI to one that knows `auth token`",
    outdated: &["unknown command", "unknown flag"],
    by_hand: "`azd auth token --output json`",
    read,
};

/// `expiresOn`, which is there too, says in RFC 3339 what the token says itself.
fn read(stdout: &[u8]) -> Result<Printed, ToolErrorKind> {
    let unreadable = |Unreadable| ToolErrorKind::Unreadable;
    let token = Object::parse(stdout).and_then(|mut json| json.take_text("token"));
    let token = token.map_err(unreadable)?;
    Ok(Printed::new(token.ok_or(ToolErrorKind::Unreadable)?, None))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_read() {
        let printed = read(br#"{"token":"t0ken","expiresOn":"2025-10-09T08:53:20Z"}"#);
        assert_eq!(*printed.expect("a token").access_token, "t0ken");
        for odd in ["", "null", "{}", "{\"token\":7}", "t0ken"] {
            assert_eq!(read(odd.as_bytes()).err(), Some(ToolErrorKind::Unreadable));
        }
    }
}
