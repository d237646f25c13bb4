use std::time::{Duration, SystemTime};

/// How far this machine's clock may be from the service's to be believed. The
/// `Date` header has whole seconds, and the reply takes a moment.
const AGREES: Duration = Duration::from_secs(2);

/// What is left of a token's life at its receipt.
///
/// Two things are known of it: when the token itself says that it expires
/// (`exp`), which is when Redis closes the connection, and how long it lives
/// by the reply (`expires_in`), for which no right clock is needed. **The
/// earlier counts.** So that a wrong clock on this machine does not spoil the
/// first, `exp` is compared with the service's clock, known by the reply's
/// `Date` header (RFC 9110 §6.6.1); this machine's is used where both agree,
/// since it is finer, and where there is no such header.
pub(crate) fn lifetime(
    exp: SystemTime,
    expires_in: Option<Duration>,
    date: Option<&str>,
    received: SystemTime,
) -> Duration {
    let date = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    let now = match date {
        Some(date) if !agree(date, received) => {
            // The header's second may be all but over.
            date.checked_add(Duration::from_secs(1)).unwrap_or(date)
        }
        _ => received,
    };
    let by_exp = exp.duration_since(now).unwrap_or_default();
    expires_in.map_or(by_exp, |by_reply| by_reply.min(by_exp))
}

fn agree(a: SystemTime, b: SystemTime) -> bool {
    let apart = a.duration_since(b).unwrap_or_else(|error| error.duration());
    apart <= AGREES
}

#[cfg(test)]
mod tests {
    use super::*;

    const DATE: &str = "Thu, 09 Oct 2025 08:53:20 GMT";
    /// The same moment.
    const NOW: u64 = 1_760_000_000;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn left(exp: u64, expires_in: Option<u64>, date: Option<&str>, received: SystemTime) -> f64 {
        lifetime(at(exp), expires_in.map(Duration::from_secs), date, received).as_secs_f64()
    }

    #[test]
    fn with_right_clocks_the_earlier_counts() {
        let received = at(NOW) + Duration::from_millis(500);
        for date in [Some(DATE), None, Some("yesterday")] {
            assert_eq!(left(NOW + 3600, Some(3599), date, received), 3599.0);
            assert_eq!(left(NOW + 3600, Some(7200), date, received), 3599.5);
            assert_eq!(left(NOW + 3600, None, date, received), 3599.5);
            assert_eq!(left(NOW + 3600, Some(0), date, received), 0.0);
            assert_eq!(left(NOW + 3600, Some(u64::MAX), date, received), 3599.5);
        }
    }

    #[test]
    fn an_expired_token_shows_whatever_expires_in_says() {
        for date in [Some(DATE), None] {
            assert_eq!(left(NOW - 10, Some(3600), date, at(NOW)), 0.0);
            assert_eq!(left(0, None, date, at(NOW)), 0.0);
        }
    }

    #[test]
    fn a_wrong_clock_here_does_not_matter() {
        for received in [at(NOW - 86_400), at(NOW + 86_400), at(NOW + 3), at(0)] {
            assert_eq!(left(NOW + 3600, Some(3599), Some(DATE), received), 3599.0);
            assert_eq!(left(NOW + 3600, None, Some(DATE), received), 3599.0);
            assert_eq!(left(NOW - 1, Some(3599), Some(DATE), received), 0.0);
        }
    }

    #[test]
    fn without_a_date_a_clock_behind_is_bounded_by_expires_in() {
        assert_eq!(left(NOW + 3600, Some(3599), None, at(NOW - 86_400)), 3599.0);
        assert_eq!(left(NOW + 3600, Some(3599), None, at(NOW + 86_400)), 0.0);
    }
}
