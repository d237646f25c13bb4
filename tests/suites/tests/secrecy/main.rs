//! No secret in any log line, event, error or Debug: everything is captured,
//! at trace level, through a whole run with every kind of fault.

#![allow(clippy::unwrap_used)] // helpers of tests are not marked as such

mod fred;
mod redis;

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use tracing_subscriber::EnvFilter;

#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl Captured {
    /// What is logged in this process, from the first call on.
    fn all() -> Self {
        static ALL: OnceLock<Captured> = OnceLock::new();
        let start = || {
            let captured = Self::default();
            let writer = captured.clone();
            tracing_subscriber::fmt()
                .with_env_filter(EnvFilter::new("trace"))
                .with_ansi(false)
                .with_writer(move || writer.clone())
                .init();
            captured
        };
        ALL.get_or_init(start).clone()
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

impl Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// None of these secrets was written down.
fn assert_none(mut secrets: Vec<String>, written: &str) {
    // It did capture: our own lines, and those of the libraries below.
    assert!(written.contains("token refreshed"));
    assert!(
        written.contains("TRACE"),
        "nothing at trace level was captured"
    );
    secrets.dedup();
    assert!(
        secrets.len() > 5,
        "the client secret and at least five tokens"
    );
    for secret in &secrets {
        assert!(secret.len() >= 16);
        assert!(
            !written.contains(secret.as_str()),
            "a secret was written down"
        );
        // Not in part either: the signature alone would do for a token.
        let tail = &secret[secret.len() - 12..];
        assert!(
            !written.contains(tail),
            "the end of a secret was written down"
        );
    }
}
