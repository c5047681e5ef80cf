//! Dates of the Gregorian calendar, in UTC.

use std::fmt;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// A date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date {
    year: u64,
    month: u64,
    day: u64,
}

impl Date {
    /// Returns the date of a time in milliseconds since 1970.
    pub const fn of_millis(millis: u64) -> Self {
        Self::of_days(millis / DAY)
    }

    /// Returns the date `days` days after 1970-01-01.
    pub const fn of_days(days: u64) -> Self {
        // The calculation counts years from 1 March, so that a leap day is the last day of its year.
        let days = days + 719_468;
        let (era, day_of_era) = (days / 146_097, days % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        Self { year: era * 400 + year_of_era + (month <= 2) as u64, month, day }
    }
}

/// Writes `2026-11-30`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_have_dates() {
        for (millis, date) in [
            (0, "1970-01-01"),
            (951_782_400_000, "2000-02-29"),
            (1_735_689_599_999, "2024-12-31"),
            (4_107_542_400_000, "2100-03-01"),
        ] {
            assert_eq!(Date::of_millis(millis).to_string(), date);
        }
        assert!(Date::of_days(31) > Date::of_days(30));
    }
}
