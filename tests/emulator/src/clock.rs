//! Wall-clock time as tokens carry it: seconds since 1970, with the fraction kept.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Seconds since the Unix epoch. A clock set before 1970 reads as 0.
pub(crate) fn unix_now() -> f64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0.0, |elapsed| elapsed.as_secs_f64())
}

/// Longer than anything lasts: a hundred years.
pub(crate) const FOREVER: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// How long from now until `unix_seconds`; zero if that has passed. A date
/// beyond what a `Duration` holds (tokens come from outside) means "never",
/// here [`FOREVER`].
pub(crate) fn until(unix_seconds: f64) -> Duration {
    let left = unix_seconds - unix_now();
    if left <= 0.0 || left.is_nan() {
        return Duration::ZERO;
    }
    Duration::try_from_secs_f64(left).map_or(FOREVER, |left| left.min(FOREVER))
}

/// `YYYY-MM-DD HH:MM:SSZ`, as in the `timestamp` of an Entra error.
pub(crate) fn timestamp(unix_seconds: f64) -> String {
    let seconds = unix_seconds.max(0.0) as u64;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil_from_days(days);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02}:{:02}Z",
        rest / 3600,
        rest / 60 % 60,
        rest % 60
    )
}

/// Days since 1970-01-01 to a Gregorian date. Counts in years that start in
/// March, so that the leap day comes last.
fn civil_from_days(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_utc_dates() {
        assert_eq!(timestamp(0.0), "1970-01-01 00:00:00Z");
        assert_eq!(timestamp(951_827_696.9), "2000-02-29 12:34:56Z");
        assert_eq!(timestamp(1_767_225_599.0), "2025-12-31 23:59:59Z");
    }

    #[test]
    fn odd_expiry_dates_never_overflow() {
        assert_eq!(until(f64::NAN), Duration::ZERO);
        assert_eq!(until(-1e300), Duration::ZERO);
        assert!(until(1e300) > Duration::from_secs(1_000_000_000));
        assert!(until(f64::INFINITY) > Duration::from_secs(1_000_000_000));
    }
}
