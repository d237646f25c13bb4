use std::time::Duration;

/// Decimal places kept of a ratio; a `f64` has no more than 17.
const PLACES: usize = 18;

/// A share from 0 to 1, as the decimal number that its author wrote.
///
/// `0.57 * 100.0` is 56.99… in binary; the share of 100 ms that `0.57` names
/// is 57 ms. So the shortest decimal form is kept, and multiplied exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ratio {
    /// In units of 10⁻¹⁸.
    units: u64,
}

impl Ratio {
    pub(crate) const ZERO: Self = Self { units: 0 };
    const ONE: u64 = 10u64.pow(PLACES as u32);

    /// `None` unless `value` is a number from 0 to 1.
    pub(crate) fn new(value: f64) -> Option<Self> {
        if !(0.0..=1.0).contains(&value) {
            return None;
        }
        let text = format!("{}", value.abs());
        let (whole, places) = text.split_once('.').unwrap_or((&text, ""));
        let places: String = places
            .chars()
            .chain(std::iter::repeat('0'))
            .take(PLACES)
            .collect();
        let units = whole.parse::<u64>().ok()? * Self::ONE + places.parse::<u64>().ok()?;
        Some(Self { units })
    }

    /// This share of `whole`, rounded down to a millisecond.
    pub(crate) fn of(self, whole: Duration) -> Duration {
        let millis = whole.as_nanos() * u128::from(self.units) / u128::from(Self::ONE) / 1_000_000;
        Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_exact_where_binary_fractions_are_not() {
        let share = |ratio, ms| {
            Ratio::new(ratio)
                .unwrap()
                .of(Duration::from_millis(ms))
                .as_millis()
        };
        assert_eq!(share(0.57, 100), 57);
        assert_eq!(share(0.29, 1000), 290);
        assert_eq!(share(1.0, 7), 7);
        assert_eq!(share(5e-324, 1_000_000), 0);
    }

    #[test]
    fn takes_only_shares() {
        for wrong in [-0.1, 1.1, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(Ratio::new(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn never_overflows() {
        let far = crate::policy::FAR;
        assert_eq!(Ratio::new(1.0).unwrap().of(far), far);
    }
}
