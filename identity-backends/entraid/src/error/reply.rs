use std::time::Duration;

use redis_authx::{ErrorKind, ProviderError};
use serde_json::Value;

use super::{EntraError, diagnosis::diagnose};
use crate::http::HttpResponse;

/// An error reply has some 1 KiB. A longer one is not read, its status counts.
const MAX_READ: usize = 64 * 1024;
const MAX_CODES: usize = 8;
const MAX_WORD: usize = 64;
/// The status of the redirect itself, which only the browser sees.
#[cfg(feature = "interactive")]
const FOUND: u16 = 302;

/// Words of managed identities' endpoints that are not made like OAuth 2.0's.
const MORE_WORDS: [&str; 6] = [
    "ArgumentNullOrEmpty",
    "InternalServerError",
    "InvalidApiVersion",
    "ManagedIdentityNotFound",
    "SecretHeaderNotFound",
    "bad_request_102",
];

/// What a status other than 200 means.
pub(crate) fn refusal(reply: &HttpResponse) -> ProviderError {
    let answer = Answer::read(reply);
    let (kind, advice) = diagnose(reply.status(), answer.word(), answer.codes());
    answer.into_error(kind, advice)
}

/// What can be kept of an error reply.
pub(crate) struct Answer {
    source: EntraError,
    retry_after: Option<Duration>,
}

impl Answer {
    pub(crate) fn read(reply: &HttpResponse) -> Self {
        // Often no JSON: Entra ID throttles applications in plain text, and
        // proxies answer in HTML.
        let body: Value = if reply.body().len() <= MAX_READ {
            let text = std::str::from_utf8(reply.body()).unwrap_or_default();
            text.parse().unwrap_or_default()
        } else {
            Value::Null
        };
        // Service Fabric has an object there.
        let word = body["error"]
            .as_str()
            .or_else(|| body["error"]["code"].as_str());
        let source = EntraError {
            status: reply.status(),
            error: word.filter(|word| is_word(word)).map(str::to_owned),
            trace_id: guid(&body["trace_id"]),
            correlation_id: guid(&body["correlation_id"]),
            codes: codes(&body),
            advice: "",
        };
        Self {
            source,
            retry_after: crate::retry_after::of(reply),
        }
    }

    pub(crate) fn word(&self) -> Option<&str> {
        self.source.error()
    }

    pub(crate) fn codes(&self) -> &[u32] {
        self.source.codes()
    }

    pub(crate) fn into_error(mut self, kind: ErrorKind, advice: &'static str) -> ProviderError {
        self.source.advice = advice;
        let error = ProviderError::new(kind).with_source(self.source);
        match self.retry_after {
            Some(wait) if matches!(kind, ErrorKind::Throttled | ErrorKind::Unavailable) => {
                error.with_retry_after(wait)
            }
            _ => error,
        }
    }
}

/// What a redirect from the authorize endpoint says in place of a code: the
/// same words and numbers, but in a query (RFC 6749 §4.1.2.1).
#[cfg(feature = "interactive")]
pub(crate) fn redirected(word: &str, description: &str) -> ProviderError {
    let word = Some(word).filter(|word| is_word(word));
    let codes: Vec<_> = described(description).into_iter().collect();
    // As it would be classified in an answer.
    let (kind, advice) = diagnose(400, word, &codes);
    ProviderError::new(kind).with_source(EntraError {
        status: FOUND,
        error: word.map(str::to_owned),
        codes,
        trace_id: None,
        correlation_id: None,
        advice,
    })
}

/// `error_codes`, or else the number at the beginning of `error_description`.
fn codes(body: &Value) -> Vec<u32> {
    let number = |value: &Value| value.as_u64().and_then(|number| u32::try_from(number).ok());
    if let Some(list) = body["error_codes"].as_array() {
        let codes: Vec<_> = list.iter().filter_map(number).take(MAX_CODES).collect();
        if !codes.is_empty() {
            return codes;
        }
    }
    described(body["error_description"].as_str().unwrap_or_default())
        .into_iter()
        .collect()
}

/// The number at the beginning of a description.
fn described(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("AADSTS").unwrap_or_default();
    let end = digits
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(digits.len());
    digits[..end].parse().ok()
}

fn is_word(text: &str) -> bool {
    (1..=MAX_WORD).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_')
        || MORE_WORDS.contains(&text)
}

/// Digits in groups of 8, 4, 4, 4 and 12, and nothing else.
fn guid(value: &Value) -> Option<String> {
    let text = value.as_str()?;
    let groups = text.split('-').map(str::len);
    let is_guid =
        groups.eq([8, 4, 4, 4, 12]) && text.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    is_guid.then(|| text.to_owned())
}
