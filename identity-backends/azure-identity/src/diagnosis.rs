//! What an error of `azure_core` means.
//!
//! `azure_identity` wraps what it got in an error of kind `Credential`. Behind
//! it there may be the HTTP status with the numbers of Entra ID's error codes
//! beside it; but often there is only a text: version 1.0 can't read Entra ID's
//! error replies as they really are, nor the plain text that it throttles in,
//! and then quotes them in a conversion error. So the whole chain is looked
//! through, texts included.
//!
//! The table is coarser than that of `redis-authx-entraid` on purpose: one
//! backend does not depend on the other, and of a number the manager only wants
//! to know whether to wait for time or for a person. The numbers that pass with
//! time are few and documented; nearly all others need somebody.

use std::env::VarError;
use std::error::Error as StdError;
use std::io;
use std::iter::successors;
use std::time::Duration;

use azure_core::error::{Error, ErrorKind as AzureKind};
use azure_core::http::headers::RETRY_AFTER;
use redis_authx::{ErrorKind, ProviderError};

use crate::CredentialError;

const MAX_CODES: usize = 8;
/// Longer waits are a mistake of the server's.
const LONGEST_WAIT: Duration = Duration::from_secs(3600);

#[derive(Default)]
struct Found {
    error: CredentialError,
    retry_after: Option<Duration>,
    no_connection: bool,
    /// The connection itself, whatever is behind it.
    connection: bool,
    /// Something of this machine.
    lacking: bool,
    unreadable: bool,
}

pub(crate) fn diagnose(error: &Error) -> ProviderError {
    let mut found = Found::default();
    let first: &(dyn StdError + 'static) = error;
    for error in successors(Some(first), |error| (*error).source()) {
        found.look_at(error);
    }
    let (kind, what) = found.kind();
    found.error.what = what;
    let error = ProviderError::new(kind).with_source(found.error);
    match found.retry_after {
        Some(wait) if matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable) => {
            error.with_retry_after(wait)
        }
        _ => error,
    }
}

impl Found {
    fn look_at(&mut self, error: &(dyn StdError + 'static)) {
        self.keep(&error.to_string(), "AADSTS");
        match error.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(io::ErrorKind::NotFound | io::ErrorKind::PermissionDenied) => self.lacking = true,
            Some(_) => self.no_connection = true,
            None => {}
        }
        if error.is::<VarError>() {
            self.lacking = true;
        }
        match error.downcast_ref::<Error>().map(Error::kind) {
            Some(AzureKind::HttpResponse {
                status,
                error_code,
                raw_response,
            }) => {
                self.error.status.get_or_insert_with(|| (*status).into());
                // Numbers, joined by commas.
                for code in error_code.iter().flat_map(|codes| codes.split(',')) {
                    self.keep(code.trim(), "");
                }
                let headers = raw_response.as_ref().map(|raw| raw.headers());
                let wait = headers.and_then(|headers| headers.get_optional_str(&RETRY_AFTER));
                if let Some(seconds) = wait.and_then(|text| text.trim().parse().ok()) {
                    self.retry_after = Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
                }
            }
            Some(AzureKind::Connection) => {
                self.connection = true;
                self.no_connection = true;
            }
            // Also of files, programs and environment variables.
            Some(AzureKind::Io) => self.no_connection = true,
            Some(AzureKind::DataConversion) => self.unreadable = true,
            _ => {}
        }
    }

    /// The numbers that follow `prefix` in `text`.
    fn keep(&mut self, text: &str, prefix: &str) {
        let parts = if prefix.is_empty() {
            vec![text]
        } else {
            text.split(prefix).skip(1).take(MAX_CODES).collect()
        };
        for part in parts {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            if let Ok(code) = part[..digits].parse()
                && self.error.codes.len() < MAX_CODES
                && !self.error.codes.contains(&code)
            {
                self.error.codes.push(code);
            }
        }
    }

    /// The status first: what throttles or is down may send any body.
    fn kind(&self) -> (ErrorKind, &'static str) {
        const DOWN: &str = "the credential's service could not answer at the moment";
        const THROTTLED: &str = "the credential's service asks to be left alone for a while";
        const REFUSED: &str = "the credential is not accepted, or a person is needed";

        match self.error.status {
            Some(429) => return (ErrorKind::Throttled, THROTTLED),
            Some(408 | 500..=599) => return (ErrorKind::Unavailable, DOWN),
            _ => {}
        }
        if let Some(code) = self.error.codes.first() {
            return match code {
                50_033 | 90_006 | 90_012 | 90_024 | 90_033 | 90_090 => {
                    (ErrorKind::Unavailable, DOWN)
                }
                50_196 | 90_055 => (ErrorKind::Throttled, THROTTLED),
                _ => (ErrorKind::Rejected, REFUSED),
            };
        }
        match self.error.status {
            Some(400 | 401 | 403) => (ErrorKind::Rejected, REFUSED),
            Some(_) => (ErrorKind::Other, "the credential failed"),
            None if self.lacking && !self.connection => (
                ErrorKind::Misconfigured,
                "the credential lacks a file, program or environment variable that it needs, or \
                 this process may not use it",
            ),
            None if self.no_connection => (
                ErrorKind::Unavailable,
                "the credential's service can't be reached",
            ),
            None if self.unreadable => (
                ErrorKind::InvalidResponse,
                "the credential could not read the answer that it got",
            ),
            None => (ErrorKind::Other, "the credential failed"),
        }
    }
}
