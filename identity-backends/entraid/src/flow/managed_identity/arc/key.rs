use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{self, Path, PathBuf};

use redis_authx::{ErrorKind, ProviderError};
use zeroize::Zeroizing;

use crate::EntraError;
use crate::http::HttpResponse;
use crate::secret::Secret;
use crate::threads;

/// The longest key file: 4 KiB, as Microsoft's libraries have it.
const MAX_KEY: u64 = 4096;

const ELSEWHERE: &str = "Azure Arc's agent names a key file that is not a `.key` file in its own \
     directory, which is not read: it may be someone else who answers";

/// The key files of Azure Arc's agent.
#[derive(Clone, Debug)]
pub(in super::super) struct Keys {
    directory: PathBuf,
}

impl Keys {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The value of `Authorization` that answers a challenge.
    ///
    /// Whoever listens on the agent's port says which file to read and gets
    /// what it holds, so only what the agent may have written is read.
    pub(in super::super) async fn answer(
        &self,
        challenge: &HttpResponse,
    ) -> Result<Secret, ProviderError> {
        let path = challenge
            .header("www-authenticate")
            .and_then(realm)
            .ok_or_else(|| {
                refused(
                    ErrorKind::InvalidResponse,
                    "Azure Arc's agent did not say by `WWW-Authenticate: Basic realm=…` which key \
                     file to read",
                )
            })?;
        let directory = self.directory.clone();
        let key = threads::unblock(move || read(&path, &directory)).await?;
        // As it is: not in base64, and no name before it.
        Ok(Secret::new(format!("Basic {}", &*key)))
    }
}

/// The path in `Basic realm=/path`, with or without quotation marks.
fn realm(header: &str) -> Option<PathBuf> {
    let (scheme, rest) = header.trim().split_once(' ')?;
    let (name, value) = rest.trim_start().split_once('=')?;
    if !scheme.eq_ignore_ascii_case("basic") || !name.trim().eq_ignore_ascii_case("realm") {
        return None;
    }
    let path = value.trim().trim_matches('"');
    (!path.is_empty()).then(|| path.into())
}

fn read(path: &Path, directory: &Path) -> Result<Zeroizing<String>, ProviderError> {
    let elsewhere = || refused(ErrorKind::InvalidResponse, ELSEWHERE);
    let is_key = |path: &Path| path.extension().is_some_and(|extension| extension == "key");
    let inside = |path: &Path, directory: &Path| {
        path.parent()
            .is_some_and(|parent| names(parent) == names(directory))
    };
    // By its name alone at first: to look at `\\server\share` is to sign in there.
    let named = path::absolute(directory).map_err(unreadable)?;
    if !path.is_absolute() || !is_key(path) || !inside(path, &named) {
        return Err(elsewhere());
    }
    // Symbolic links are followed first, so that none leads out.
    let directory = fs::canonicalize(directory).map_err(unreadable)?;
    let path = fs::canonicalize(path).map_err(unreadable)?;
    if !inside(&path, &directory) || !is_key(&path) {
        return Err(elsewhere());
    }
    // Before it is opened: a pipe would not let go.
    if !fs::metadata(&path).map_err(unreadable)?.is_file() {
        return Err(elsewhere());
    }
    let mut key = Zeroizing::new(Vec::with_capacity(MAX_KEY as usize + 1));
    let file = File::open(&path).map_err(unreadable)?;
    file.take(MAX_KEY + 1)
        .read_to_end(&mut key)
        .map_err(unreadable)?;
    if key.len() as u64 > MAX_KEY {
        return Err(refused(
            ErrorKind::InvalidResponse,
            "the key file of Azure Arc's agent has more than 4096 bytes",
        ));
    }
    match std::str::from_utf8(key.trim_ascii()) {
        Ok(text) if !text.is_empty() && text.bytes().all(|b| matches!(b, b' '..=b'~')) => {
            Ok(Zeroizing::new(text.to_owned()))
        }
        _ => Err(refused(
            ErrorKind::InvalidResponse,
            "the key file of Azure Arc's agent is empty or holds what no header can hold",
        )),
    }
}

/// The parts of a path, `..` among them as it stands. Windows does not tell
/// case apart.
fn names(path: &Path) -> Vec<OsString> {
    path.components()
        .map(|part| match part.as_os_str() {
            name if cfg!(windows) => name.to_ascii_lowercase(),
            name => name.to_owned(),
        })
        .collect()
}

fn unreadable(error: io::Error) -> ProviderError {
    match error.kind() {
        io::ErrorKind::PermissionDenied => refused(
            ErrorKind::Misconfigured,
            "this process may not read the key files of Azure Arc's agent; on Linux make its user \
             a member of the group `himds`, on Windows of the administrators or of \"Hybrid agent \
             extension applications\"",
        ),
        // The agent writes a file for each challenge and removes it again.
        _ => refused(
            ErrorKind::Unavailable,
            "the key file that Azure Arc's agent named could not be read",
        ),
    }
}

fn refused(kind: ErrorKind, advice: &'static str) -> ProviderError {
    EntraError::answered(401, kind, advice)
}

#[cfg(test)]
mod tests;
