use redis_authx::ConfigError;
use serde_json::Value;

use super::argument::check_subscription;
use super::settings::ToolSettings;
use super::tool::Kind;
use super::{Printed, ToolErrorKind};
use crate::EntraIdentity;
use crate::flow::settings::Settings;
use crate::json::{Object, Unreadable};

/// Signs in as whoever is signed in to the Azure CLI, by running `az account
/// get-access-token`. For a developer's machine.
///
/// ```
/// use redis_authx_entraid::AzureCli;
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = AzureCli::new().tenant("contoso.onmicrosoft.com").build()?;
/// # Ok(())
/// # }
/// ```
///
/// Each request runs `az`: without a shell, with nothing to read, with at most
/// 128 KiB of output, in the root folder. Dropping the future of a request ends
/// it, with the processes that it has started. After its own end, what it has
/// left running goes on, but on Unix not what still has its output open.
///
/// `az` keeps the token that it has and gives it out until some minutes before
/// it expires. A manager that asks earlier gets the same one, which it takes
/// for what it is: it re-authenticates nobody and asks again later. `az` has no
/// option to bypass that cache, also after a Redis server has
/// [refused](redis_authx::RequestReason::Refused) the token.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AzureCli {
    settings: Settings,
    tool: ToolSettings,
    subscription: Option<String>,
}

impl AzureCli {
    /// Whoever is signed in, in the tenant of the current subscription.
    pub fn new() -> Self {
        Self::default()
    }

    tool_setters! {}

    /// The subscription, by id or name, whose account to use. Default: the
    /// current one.
    pub fn subscription(mut self, subscription: impl Into<String>) -> Self {
        self.subscription = Some(subscription.into());
        self
    }

    /// Builds the identity. Runs nothing, and does not look for `az`.
    ///
    /// # Errors
    /// Names the setting that can't work: `scope`, `tenant`, `subscription`,
    /// `program`, `time_limit` or `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        self.tool.check(&self.settings)?;
        let mut arguments = vec!["account", "get-access-token", "--output", "json"];
        arguments.extend(["--scope", &self.settings.scope]);
        if let Some(tenant) = &self.tool.tenant {
            arguments.extend(["--tenant", tenant]);
        }
        if let Some(subscription) = &self.subscription {
            check_subscription(subscription)?;
            arguments.extend(["--subscription", subscription]);
        }
        let arguments = arguments.into_iter().map(str::to_owned).collect();
        self.tool.identity(&KIND, arguments, &self.settings)
    }
}

/// Microsoft Learn, "az account get-access-token".
static KIND: Kind = Kind {
    program: "az",
    files: if cfg!(windows) {
        &["az.cmd", "az.exe"]
    } else {
        &["az"]
    },
    sign_in: "`az login`",
    signed_out: &["az login"],
    needs: "update the Azure CLI to one that knows `--scope`",
    outdated: &["unrecognized arguments"],
    by_hand: "`az account get-access-token`",
    read,
};

fn read(stdout: &[u8]) -> Result<Printed, ToolErrorKind> {
    let unreadable = |Unreadable| ToolErrorKind::Unreadable;
    let mut json = Object::parse(stdout).map_err(unreadable)?;
    let access_token = json.take_text("accessToken").map_err(unreadable)?;
    // Seconds since 1970, since version 2.54. The older `expiresOn` is local
    // time without its zone, and twice the same when clocks go back.
    let seconds = json.get("expires_on").and_then(|value| match value {
        Value::String(digits) => digits.trim().parse().ok(),
        value => value.as_u64(),
    });
    let access_token = access_token.ok_or(ToolErrorKind::Unreadable)?;
    Ok(Printed::new(access_token, seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expires_on(field: &str) -> Option<u64> {
        let json = format!(
            r#"{{"accessToken":"t0ken","expiresOn":"2025-10-09 10:53:20.000000",{field}
            "subscription":"s","tenant":"t","tokenType":"Bearer"}}"#
        );
        let printed = read(json.as_bytes()).expect("a token");
        assert_eq!(*printed.access_token, "t0ken");
        let since = printed
            .expires_on?
            .duration_since(std::time::SystemTime::UNIX_EPOCH);
        Some(since.expect("after 1970").as_secs())
    }

    #[test]
    fn the_epoch_counts_and_the_naive_time_does_not() {
        assert_eq!(
            expires_on("\"expires_on\":1760000000,"),
            Some(1_760_000_000)
        );
        assert_eq!(
            expires_on("\"expires_on\":\"1760000000\","),
            Some(1_760_000_000)
        );
        for nonsense in [
            "",
            "\"expires_on\":null,",
            "\"expires_on\":-1,",
            "\"expires_on\":18446744073709551615,",
            "\"expires_on\":\"soon\",",
        ] {
            assert_eq!(expires_on(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn what_is_no_token_is_said_so() {
        for odd in ["", "null", "{}", "[]", "{\"accessToken\":7}", "WARNING: x"] {
            assert_eq!(read(odd.as_bytes()).err(), Some(ToolErrorKind::Unreadable));
        }
        assert!(read(b"\xff").is_err());
    }
}
