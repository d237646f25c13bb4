//! Scripts in place of the tools.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use redis_authx_entraid::{AzureCli, AzureDeveloperCli, AzurePowerShell, EntraIdentity};

use crate::common::access_token;

/// A tool, and the folder it keeps its notes in. Both are gone with this value.
pub(crate) struct Fake(PathBuf);

impl Fake {
    /// A shell script; `$notes` is its folder.
    pub(crate) fn new(script: &str) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("authx-tool-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let fake = Self(folder);
        let text = format!(
            "#!/bin/sh\n[ \"$1\" = --probe ] && exit 0\nnotes='{}'\n{script}\n",
            fake.0.display()
        );
        fs::write(fake.program(), text).expect("a script");
        fs::set_permissions(fake.program(), fs::Permissions::from_mode(0o755)).expect("its mode");
        // Another thread that starts a process at this moment has the script
        // open for writing until its `exec`, which bars ours.
        let probe = || Command::new(fake.program()).arg("--probe").status();
        while probe().is_err_and(|error| error.kind() == ErrorKind::ExecutableFileBusy) {
            thread::sleep(Duration::from_millis(1));
        }
        fake
    }

    pub(crate) fn program(&self) -> PathBuf {
        self.0.join("tool")
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.0
    }

    /// What the script wrote into a file of its folder, waited for.
    pub(crate) fn note(&self, name: &str) -> String {
        let file = self.0.join(name);
        let mut text = String::new();
        eventually(|| {
            text = fs::read_to_string(&file).unwrap_or_default();
            text.ends_with('\n')
        });
        text
    }

    pub(crate) fn az(&self) -> AzureCli {
        AzureCli::new().program(self.program())
    }

    pub(crate) fn azd(&self) -> AzureDeveloperCli {
        AzureDeveloperCli::new().program(self.program())
    }

    pub(crate) fn pwsh(&self) -> AzurePowerShell {
        AzurePowerShell::new().program(self.program())
    }

    pub(crate) fn identities(&self) -> [EntraIdentity; 3] {
        [
            self.az().build().expect("az"),
            self.azd().build().expect("azd"),
            self.pwsh().build().expect("pwsh"),
        ]
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What each tool prints for `token`, in the order of [`Fake::identities`].
pub(crate) fn prints(token: &str, expires_on: u64) -> [String; 3] {
    [
        format!(
            r#"{{"accessToken": "{token}", "expiresOn": "2001-01-01 00:00:00.000000",
                "expires_on": {expires_on}, "tenant": "t", "tokenType": "Bearer"}}"#
        ),
        format!(r#"{{"token": "{token}", "expiresOn": "2001-01-01T00:00:00Z"}}"#),
        format!("WARNING: a new version\nredis-authx%{token}%{expires_on}"),
    ]
}

/// A script that prints `text`, which must hold no single quote.
pub(crate) fn echo(text: &str) -> String {
    format!("cat <<'END'\n{text}\nEND")
}

/// `az` with a token of one hour.
pub(crate) fn signed_in() -> Fake {
    Fake::new(&echo(&prints(&access_token(3600), u32::MAX.into())[0]))
}

pub(crate) fn eventually(mut happened: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !happened() {
        assert!(begun.elapsed() < Duration::from_secs(60), "in vain");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process is gone, or only waits to be reaped.
pub(crate) fn is_gone(id: &str) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", id.trim()])
        .stderr(Stdio::null())
        .output()
        .expect("ps");
    let state = String::from_utf8_lossy(&output.stdout);
    state.trim().is_empty() || state.trim_start().starts_with('Z')
}
