mod script;

use redis_authx::ConfigError;
use zeroize::Zeroizing;

use super::settings::ToolSettings;
use super::tool::Kind;
use super::{Printed, ToolErrorKind};
use crate::EntraIdentity;
use crate::flow::settings::Settings;
use script::{MARK, NO_MODULE};

/// Signs in as whoever is signed in to Azure PowerShell, by running
/// `Get-AzAccessToken` in `pwsh`. For a developer's machine.
///
/// ```
/// use redis_authx_entraid::AzurePowerShell;
///
/// # fn main() -> Result<(), redis_authx::ConfigError> {
/// let identity = AzurePowerShell::new().build()?;
/// # Ok(())
/// # }
/// ```
///
/// Needs the module Az.Accounts, version 2.2.0 or later, in PowerShell 7; on
/// Windows also in the one that came with it. It is run without a profile and
/// without questions, and otherwise as [`AzureCli`](crate::AzureCli) says it of
/// `az`, caching included.
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct AzurePowerShell {
    settings: Settings,
    tool: ToolSettings,
}

impl AzurePowerShell {
    /// Whoever is signed in.
    pub fn new() -> Self {
        Self::default()
    }

    tool_setters! {}

    /// Builds the identity. Runs nothing, and does not look for `pwsh`.
    ///
    /// # Errors
    /// Names the setting that can't work: `scope`, `tenant`, `program`,
    /// `time_limit` or `username_claim`.
    pub fn build(self) -> Result<EntraIdentity, ConfigError> {
        self.tool.check(&self.settings)?;
        let script = script::of(&self.settings.scope, self.tool.tenant.as_deref());
        let arguments = ["-NoProfile", "-NonInteractive", "-EncodedCommand", &script];
        let arguments = arguments.map(str::to_owned).into();
        self.tool.identity(&KIND, arguments, &self.settings)
    }
}

/// Microsoft Learn, "about_Pwsh" and "Get-AzAccessToken".
static KIND: Kind = Kind {
    program: "pwsh",
    files: if cfg!(windows) {
        &["pwsh.exe", "powershell.exe"]
    } else {
        &["pwsh"]
    },
    sign_in: "`Connect-AzAccount`",
    signed_out: &["Connect-AzAccount"],
    needs: "install its module Az.Accounts, version 2.2.0 or later",
    outdated: &[],
    by_hand: "`Get-AzAccessToken`",
    read,
};

/// The script's line, wherever it stands: modules may print warnings, and
/// Windows PowerShell prints them in the code page of the console. What the
/// script prints is ASCII.
fn read(stdout: &[u8]) -> Result<Printed, ToolErrorKind> {
    let mut lines = stdout.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
    if let Some(found) = lines
        .clone()
        .find_map(|line| line.strip_prefix(MARK.as_bytes()))
    {
        let found = str::from_utf8(found).map_err(|_| ToolErrorKind::Unreadable)?;
        let (token, seconds) = found.split_once('%').ok_or(ToolErrorKind::Unreadable)?;
        let token = Zeroizing::new(token.to_owned());
        return Ok(Printed::new(token, seconds.parse().ok()));
    }
    Err(if lines.any(|line| line == NO_MODULE.as_bytes()) {
        ToolErrorKind::Outdated
    } else {
        ToolErrorKind::Unreadable
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_marked_line_is_read_among_others() {
        let printed = read(b"WARNING: a%b%c\r\nredis-authx%t0ken%1760000000\r\n\r\n");
        let printed = printed.expect("a token");
        assert_eq!(*printed.access_token, "t0ken");
        assert_eq!(
            printed.expires_on,
            std::time::SystemTime::UNIX_EPOCH
                .checked_add(std::time::Duration::from_secs(1_760_000_000))
        );
        // Windows PowerShell warns in the code page of the console.
        let printed = read(b"AVERTISSEMENT: d\x82pr\x82ci\x82\r\nredis-authx%t0ken%1\r\n");
        assert_eq!(*printed.expect("a token").access_token, "t0ken");
        let printed = read(b"redis-authx%t0ken%soon").expect("a token");
        assert_eq!(printed.expires_on, None);
    }

    #[test]
    fn what_is_no_token_is_said_so() {
        for odd in [
            &b""[..],
            b"t0ken",
            b"redis-authx%t0ken",
            b"\xff",
            b"redis-authx%\xff%1",
        ] {
            assert_eq!(read(odd).err(), Some(ToolErrorKind::Unreadable));
        }
        for warning in [&b""[..], b"d\x82pr\x82ci\x82\n"] {
            let missing = [warning, NO_MODULE.as_bytes(), b"\r\n"].concat();
            assert_eq!(read(&missing).err(), Some(ToolErrorKind::Outdated));
        }
    }
}
