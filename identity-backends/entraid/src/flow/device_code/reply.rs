use std::time::Duration;

use redis_authx::{ErrorKind, ProviderError};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::EntraError;
use crate::http::HttpResponse;
use crate::json::{Object, Unreadable};
use crate::secret::Secret;

/// Microsoft Learn, "OAuth 2.0 device authorization grant flow".
const EXPIRES_IN: Duration = Duration::from_secs(900);
const LONGEST: Duration = Duration::from_secs(24 * 3600);
/// RFC 8628 §3.2.
const INTERVAL: Duration = Duration::from_secs(5);
/// The interval is the service's to choose, but not to make a loop of it.
const SHORTEST_INTERVAL: Duration = Duration::from_secs(1);
/// What is shown to a person fits on a screen.
const MAX_SHOWN: usize = 1024;

/// The answer of the device authorization endpoint (RFC 8628 §3.2).
#[derive(Debug)]
pub(super) struct Prompt {
    pub(super) device_code: Secret,
    pub(super) user_code: String,
    pub(super) verification_uri: String,
    pub(super) message: String,
    pub(super) expires_in: Duration,
    pub(super) interval: Duration,
}

pub(super) fn parse(answer: &HttpResponse) -> Result<Prompt, ProviderError> {
    let unusable = |advice| EntraError::unusable(ErrorKind::InvalidResponse, advice);
    let no_reply =
        |Unreadable| unusable("the reply is not the JSON object that a device code comes in");
    let mut json = Object::parse(answer.body()).map_err(no_reply)?;
    let device_code = json.take_text("device_code").map_err(no_reply)?;
    let user_code = json.take_text("user_code").map_err(no_reply)?;
    let verification_uri = json.take_text("verification_uri").map_err(no_reply)?;
    let message = json.take_text("message").map_err(no_reply)?;
    let word = |text: Zeroizing<String>| is_word(&text).then(|| text.as_str().to_owned());
    let (Some(device_code), Some(user_code), Some(verification_uri)) = (
        device_code.filter(|code| !code.is_empty()),
        user_code.and_then(word),
        verification_uri.and_then(word),
    ) else {
        return Err(unusable(
            "the reply lacks a usable `device_code`, `user_code` or `verification_uri`",
        ));
    };
    let message = message
        .map(|text| printable(&text))
        .filter(|text| !text.is_empty());
    Ok(Prompt {
        message: message.unwrap_or_else(|| {
            format!("To sign in, open {verification_uri} and enter the code {user_code}.")
        }),
        device_code: Secret::from(device_code),
        user_code,
        verification_uri,
        expires_in: seconds(json.get("expires_in"))
            .unwrap_or(EXPIRES_IN)
            .min(LONGEST),
        interval: seconds(json.get("interval"))
            .unwrap_or(INTERVAL)
            .clamp(SHORTEST_INTERVAL, LONGEST),
    })
}

fn seconds(value: Option<&Value>) -> Option<Duration> {
    Duration::try_from_secs_f64(value?.as_f64()?).ok()
}

fn is_word(text: &str) -> bool {
    (1..=MAX_SHOWN).contains(&text.len())
        && !text.contains(|c: char| c.is_control() || c.is_whitespace())
}

/// For a terminal, which a control character would steer.
fn printable(text: &str) -> String {
    let harmless = |c: char| if c.is_control() { ' ' } else { c };
    let shown: String = text.chars().take(MAX_SHOWN).map(harmless).collect();
    shown.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(body: &str) -> Result<Prompt, ProviderError> {
        parse(&HttpResponse::new(200).with_body(body))
    }

    #[test]
    fn a_reply_as_entra_id_writes_it() {
        let prompt = parsed(
            r#"{"user_code":"ABCD1234","device_code":"hunter2","verification_uri":"https://microsoft.com/devicelogin","expires_in":900,"interval":7,"message":"To sign in,\r\n\u001b[2Jopen"}"#,
        )
        .expect("a usable reply");
        assert_eq!(prompt.user_code, "ABCD1234");
        assert_eq!(prompt.verification_uri, "https://microsoft.com/devicelogin");
        assert_eq!(prompt.expires_in, Duration::from_secs(900));
        assert_eq!(prompt.interval, Duration::from_secs(7));
        assert_eq!(prompt.message, "To sign in,   [2Jopen");
        assert!(!format!("{prompt:?}").contains("hunter2"));
    }

    #[test]
    fn what_is_missing_or_absurd_has_a_default() {
        for (fields, expires_in, interval) in [
            ("", 900, 5),
            (r#","expires_in":1e300,"interval":-1"#, 900, 5),
            (r#","expires_in":1e9,"interval":0"#, 86_400, 1),
            (r#","expires_in":"x","interval":[]"#, 900, 5),
        ] {
            let body = format!(
                r#"{{"user_code":"AB","device_code":"d","verification_uri":"https://a/b"{fields}}}"#
            );
            let prompt = parsed(&body).expect("a usable reply");
            assert_eq!(prompt.expires_in.as_secs(), expires_in, "{fields}");
            assert_eq!(prompt.interval.as_secs(), interval, "{fields}");
            assert!(prompt.message.contains("https://a/b") && prompt.message.contains("AB"));
        }
    }

    #[test]
    fn what_can_not_be_shown_or_used_is_refused_without_quoting_it() {
        for body in [
            "",
            "hunter2",
            "{}",
            r#"{"device_code":"hunter2","user_code":"A"}"#,
            r#"{"device_code":"hunter2","user_code":"A B","verification_uri":"https://a"}"#,
            r#"{"device_code":"hunter2","user_code":"A\u001b","verification_uri":"https://a"}"#,
            r#"{"device_code":"","user_code":"A","verification_uri":"https://a"}"#,
            r#"{"device_code":7,"user_code":"A","verification_uri":"https://a"}"#,
        ] {
            let error = parsed(body).expect_err(body);
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
            assert!(!format!("{error:?}").contains("hunter2"), "{body}");
        }
    }
}
