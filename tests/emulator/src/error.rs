//! What can go wrong when an emulator starts or its server is restarted.

use std::{io, net::SocketAddr, path::PathBuf, sync::Arc};

/// Why an emulator could not start, or its Redis server could not be restarted.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EmulatorError {
    /// A builder setting holds a value that can't work.
    #[error("{setting} is {found:?}, but must be {allowed}")]
    InvalidSetting {
        /// The builder method.
        setting: &'static str,
        /// What was given.
        found: String,
        /// What would work.
        allowed: &'static str,
    },
    /// `start` was called outside a tokio runtime.
    #[error(
        "the emulator needs a tokio runtime with time and I/O enabled: call start() inside one, \
         for example in #[tokio::main] or #[tokio::test]"
    )]
    NoRuntime,
    /// A listener could not be opened.
    #[error("can't listen on {address} for the {purpose}; leave the port at 0 to get a free one")]
    Bind {
        /// What the listener was for.
        purpose: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// The operating system's answer.
        #[source]
        source: Arc<io::Error>,
    },
    /// The certificates could not be made.
    #[error("can't make the test certificates")]
    Certificates(#[source] Arc<dyn std::error::Error + Send + Sync>),
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes for keys and passwords")]
    NoRandomness,
    /// The built-in token-signing key can't be read or used.
    #[error("the built-in signing key is damaged: {0}")]
    SigningKey(&'static str),
    /// `redis-server` is not installed.
    #[error(
        "no redis-server found ({program}): install it (apt-get install redis-server, brew install \
         redis), give its path with redis_server_program(), or use Store::Embedded"
    )]
    RedisServerMissing {
        /// The program that was looked for.
        program: String,
    },
    /// `redis-server` ended, or did not answer, during its start.
    #[error("{program} did not start: {reason}")]
    RedisServerStart {
        /// The program that was run.
        program: String,
        /// What it said, or how long was waited for it.
        reason: String,
    },
    /// The Redis of `Store::Url` can't be reached.
    #[error("can't reach the Redis at {address}: is it running, and does the port fit?")]
    StoreUnreachable {
        /// Host and port.
        address: String,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
    /// The Redis of `Store::Url` does not allow what the gateway needs.
    #[error("the Redis at {address} can't serve as the store: {reason}")]
    StoreRights {
        /// Host and port.
        address: String,
        /// What is missing and what to do.
        reason: String,
    },
    /// Nodes did not become, or do, what they should.
    #[error("something went wrong with {doing}: {reason}")]
    Topology {
        /// What was being done.
        doing: &'static str,
        /// What a node said, or that it took too long.
        reason: String,
    },
    /// A file or folder could not be written.
    #[error("can't write {}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: Arc<io::Error>,
    },
}
