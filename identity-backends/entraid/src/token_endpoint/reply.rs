use std::time::{Duration, SystemTime};

use redis_authx::{ErrorKind, ProviderError};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::EntraError;
use crate::http::HttpResponse;
use crate::json::{Object, Unreadable};

/// A successful reply (RFC 6749 §5.1), as far as it is needed.
#[cfg_attr(not(feature = "interactive"), allow(dead_code))]
pub(crate) struct Reply {
    /// An error when it is not there, and only the refresh token is: that must
    /// not be lost with it.
    pub(crate) access_token: Result<Zeroizing<String>, ProviderError>,
    /// `None` when it is not there or no number: `exp` is there as well.
    pub(crate) expires_in: Option<Duration>,
    /// Managed identities' endpoints say it so; `None` when it is not there or
    /// no number. The first of their protocols has a date there, in a format
    /// that is not documented.
    pub(crate) expires_on: Option<SystemTime>,
    /// The answer's `Date` header.
    pub(crate) date: Option<String>,
    /// Where a person signed in: what renews the token, and who it was.
    pub(crate) refresh_token: Option<Zeroizing<String>>,
    pub(crate) id_token: Option<Zeroizing<String>>,
}

impl Reply {
    pub(crate) fn parse(answer: &HttpResponse) -> Result<Self, ProviderError> {
        let body = answer.body();
        let unusable = |advice| EntraError::unusable(ErrorKind::InvalidResponse, advice);
        if body.iter().all(u8::is_ascii_whitespace) {
            return Err(unusable("the reply is empty"));
        }
        let no_reply =
            |Unreadable| unusable("the reply is not the JSON object that a token comes in");
        let mut json = Object::parse(body).map_err(no_reply)?;
        let access_token = json.take_text("access_token").map_err(no_reply)?;
        let refresh_token = json.take_text("refresh_token").map_err(no_reply)?;
        let id_token = json.take_text("id_token").map_err(no_reply)?;
        let access_token = access_token
            .filter(|token| !token.is_empty())
            .ok_or_else(|| unusable("the reply holds no `access_token`"));
        let refresh_token = refresh_token.filter(|token| !token.is_empty());
        let access_token = match access_token {
            Err(error) if refresh_token.is_none() => return Err(error),
            either => either,
        };
        let expires_on = json.get("expires_on").and_then(seconds);
        Ok(Self {
            access_token,
            expires_in: json.get("expires_in").and_then(seconds),
            expires_on: expires_on.and_then(|since| SystemTime::UNIX_EPOCH.checked_add(since)),
            date: answer.header("date").map(str::to_owned),
            refresh_token,
            id_token,
        })
    }
}

/// Entra ID sends an integer, other Azure services a string of digits.
fn seconds(value: &Value) -> Option<Duration> {
    match value {
        Value::String(digits) => digits.trim().parse().ok().map(Duration::from_secs),
        _ => Duration::try_from_secs_f64(value.as_f64()?).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(body: impl Into<Vec<u8>>) -> HttpResponse {
        HttpResponse::new(200).with_body(body)
    }

    #[test]
    fn a_refresh_token_alone_is_not_lost() {
        for access_token in ["", r#""access_token":"","#, r#""access_token":null,"#] {
            let body = format!(r#"{{{access_token}"refresh_token":"r"}}"#);
            let reply = Reply::parse(&answer(body)).expect("a refresh token");
            assert_eq!(
                reply.refresh_token.as_deref().map(String::as_str),
                Some("r")
            );
            let error = reply.access_token.expect_err("there is none");
            assert_eq!(error.kind(), ErrorKind::InvalidResponse);
        }
        assert!(Reply::parse(&answer(r#"{"refresh_token":""}"#)).is_err());
    }

    fn expires_in(json: &str) -> Option<u64> {
        let body = format!(r#"{{"access_token":"x","expires_in":{json},"other":[{{}}]}}"#);
        let reply = Reply::parse(&answer(body)).expect("a usable reply");
        reply.expires_in.map(|duration| duration.as_secs())
    }

    #[test]
    fn expires_in_is_read_in_all_its_forms() {
        assert_eq!(expires_in("3599"), Some(3599));
        assert_eq!(expires_in("\"3599\""), Some(3599));
        assert_eq!(expires_in("3599.0"), Some(3599));
        assert_eq!(expires_in("0"), Some(0));
        for nonsense in [
            "null", "-1", "1e300", "true", "[]", "{}", "\"\"", "\"soon\"", "\"-1\"",
        ] {
            assert_eq!(expires_in(nonsense), None, "{nonsense}");
        }
    }

    #[test]
    fn expires_on_is_seconds_since_1970_or_left_out() {
        for (json, seconds) in [
            ("1506484173", Some(1_506_484_173)),
            ("\"1506484173\"", Some(1_506_484_173)),
            ("0", Some(0)),
            ("\"9/14/2027 12:00:00 AM +00:00\"", None),
            ("\"18446744073709551615\"", None),
            ("null", None),
        ] {
            let body = format!(r#"{{"access_token":"x","expires_on":{json}}}"#);
            let reply = Reply::parse(&answer(body)).expect("a usable reply");
            let found = reply.expires_on.map(|end| {
                let since = end.duration_since(SystemTime::UNIX_EPOCH);
                since.expect("after 1970").as_secs()
            });
            assert_eq!(found, seconds, "{json}");
        }
    }

    #[test]
    fn what_is_no_token_reply_is_said_so_without_quoting_it() {
        for body in [
            "",
            " \r\n",
            "hunter2",
            "\"hunter2\"",
            "[]",
            "null",
            "{}",
            r#"{"access_token":""}"#,
            r#"{"access_token":null}"#,
            r#"{"access_token":7}"#,
            r#"{"access_token":{"a":"hunter2"}}"#,
            r#"{"access_token":"hunter2","access_token":"hunter2"}"#,
            r#"{"access_token":"hunter2""#,
            r#"{"access_token":"hunter2"} hunter2"#,
            "<html>hunter2</html>",
        ] {
            let error = Reply::parse(&answer(body)).err().expect("no usable reply");
            assert_eq!(error.kind(), ErrorKind::InvalidResponse, "{body}");
            assert!(!format!("{error:?}").contains("hunter2"), "{body}");
        }
        assert!(Reply::parse(&answer(*b"\xff\xfe")).is_err());
        assert!(Reply::parse(&answer("[".repeat(100_000))).is_err());
    }
}
