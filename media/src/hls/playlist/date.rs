//! Dates as in `EXT-X-PROGRAM-DATE-TIME` (ISO 8601), in µs since 1970-01-01 UTC.

use super::attributes::{integer, push_integer};
use crate::time::Micros;

const DAY: i64 = 86_400;

/// Returns the number of days from 1970-01-01 to a date of the Gregorian calendar.
const fn days(year: i64, month: i64, day: i64) -> i64 {
    // Count years from March, so that the leap day is the last day of a year.
    let (y, m) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    365 * y + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + (153 * m + 2) / 5 + day - 719_469
}

/// Reads `2026-11-23T22:30:01.250Z`, or an offset such as `+08:00` instead of `Z`.
pub(super) fn read(text: &str) -> Option<Micros> {
    let number = |range: std::ops::Range<usize>| Some(integer(text.get(range)?)? as i64);
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let possible =
        (1..=12).contains(&month) && (1..=31).contains(&day) && hour < 24 && minute < 60 && second < 61;
    let mut rest = text.get(19..)?;
    let mut micros = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction.bytes().position(|b| !b.is_ascii_digit()).unwrap_or(fraction.len());
        micros = super::attributes::seconds(&text[18..20 + end])? % 1_000_000;
        rest = &fraction[end..];
    }
    let zone = match rest.as_bytes() {
        [] | b"Z" => 0,
        [sign @ (b'+' | b'-'), digits @ ..] => {
            let digits: String = digits.iter().filter(|&&b| b != b':').map(|&b| char::from(b)).collect();
            let minutes = integer(digits.get(..2)?)? * 60 + integer(digits.get(2..4).unwrap_or("0"))?;
            if *sign == b'+' { minutes as i64 } else { -(minutes as i64) }
        }
        _ => return None,
    };
    let seconds = days(year, month, day) * DAY + (hour * 60 + minute - zone) * 60 + second;
    possible.then_some(seconds * 1_000_000 + micros)
}

/// Writes `2026-11-23T22:30:01.250Z`.
pub(crate) fn write(out: &mut String, micros: Micros) {
    let (seconds, fraction) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    let (day, second) = (seconds.div_euclid(DAY), seconds.rem_euclid(DAY));
    // The inverse of `days`: eras of 400 years, years from March.
    let z = day + 719_468;
    let (era, of_era) = (z.div_euclid(146_097), z.rem_euclid(146_097));
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let m = (5 * of_year + 2) / 153;
    let month = if m < 10 { m + 3 } else { m - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    let fields = [
        (year, 4, '-'),
        (month, 2, '-'),
        (of_year - (153 * m + 2) / 5 + 1, 2, 'T'),
        (second / 3600, 2, ':'),
        (second / 60 % 60, 2, ':'),
        (second % 60, 2, '.'),
        (fraction / 1000, 3, 'Z'),
    ];
    for (value, width, mark) in fields {
        push_integer(out, value.unsigned_abs(), width);
        out.push(mark);
    }
}
