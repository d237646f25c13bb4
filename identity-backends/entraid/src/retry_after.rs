//! How long the service asks to be left alone.

use std::time::{Duration, SystemTime};

use crate::http::HttpResponse;

/// More than an hour is taken for a mistake and cut.
const LONGEST: Duration = Duration::from_secs(3600);

/// `Retry-After` (RFC 9110 §10.2.3) in seconds or as a date, or one of the
/// variants in milliseconds that Azure services send. The longest counts.
pub(crate) fn of(reply: &HttpResponse) -> Option<Duration> {
    let whole = reply
        .header("retry-after")
        .and_then(|value| seconds(value).or_else(|| until(value, reply.header("date"))));
    let millis = ["x-ms-retry-after-ms", "retry-after-ms"]
        .into_iter()
        .filter_map(|name| number(reply.header(name)?))
        .map(Duration::from_millis)
        .max();
    Some(whole.max(millis)?.min(LONGEST))
}

fn seconds(value: &str) -> Option<Duration> {
    number(value).map(Duration::from_secs)
}

/// A date is compared with the service's own clock where it is known.
fn until(value: &str, date: Option<&str>) -> Option<Duration> {
    let at = httpdate::parse_http_date(value.trim()).ok()?;
    let now = date
        .and_then(|date| httpdate::parse_http_date(date.trim()).ok())
        .unwrap_or_else(SystemTime::now);
    Some(at.duration_since(now).unwrap_or_default())
}

/// Digits only; too many of them are a very long time.
fn number(value: &str) -> Option<u64> {
    let digits = value.trim();
    let is_number = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    is_number.then(|| digits.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(headers: &[(&str, &str)]) -> Option<u64> {
        let reply = headers
            .iter()
            .fold(HttpResponse::new(429), |reply, (name, value)| {
                reply.with_header(*name, *value)
            });
        of(&reply).map(|wait| u64::try_from(wait.as_millis()).expect("at most an hour"))
    }

    #[test]
    fn seconds_milliseconds_and_dates() {
        let date = ("Date", "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(wait(&[]), None);
        assert_eq!(wait(&[("Retry-After", "60")]), Some(60_000));
        assert_eq!(wait(&[("Retry-After", " 0 ")]), Some(0));
        assert_eq!(wait(&[("retry-after-ms", "250")]), Some(250));
        assert_eq!(
            wait(&[("X-Ms-Retry-After-Ms", "1500"), ("Retry-After", "1")]),
            Some(1500)
        );
        let at = ("Retry-After", "Sun, 06 Nov 1994 08:49:47 GMT");
        assert_eq!(wait(&[at, date]), Some(10_000));
        assert_eq!(wait(&[at]), Some(0));
    }

    #[test]
    fn nonsense_is_left_out_and_length_is_bounded() {
        for value in ["", "-1", "1.5", "soon", "1e3", "60s"] {
            assert_eq!(wait(&[("Retry-After", value)]), None, "{value}");
        }
        for value in ["3601", "18446744073709551616", "99999999999999999999999999"] {
            assert_eq!(wait(&[("Retry-After", value)]), Some(3_600_000), "{value}");
        }
        let date = ("Retry-After", "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(wait(&[date]), Some(3_600_000));
    }
}
