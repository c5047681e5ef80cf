//! Parses numbers and attribute lists (RFC 8216 4.2).

use crate::time::Micros;

/// Iterates over the `NAME=value` pairs of a list, without the quotes of quoted strings.
pub(super) fn attributes(list: &str) -> impl Iterator<Item = (&str, &str)> {
    let mut rest = list;
    std::iter::from_fn(move || {
        let (name, after) = rest.split_once('=')?;
        let (value, next) = match after.strip_prefix('"') {
            Some(quoted) => {
                let (value, next) = quoted.split_once('"')?;
                (value, next.split_once(',').map_or("", |(_, next)| next))
            }
            None => after.split_once(',').unwrap_or((after, "")),
        };
        rest = next;
        Some((name.trim(), value.trim()))
    })
}

/// Parses a whole number that consists of digits only.
pub(super) fn integer(text: &str) -> Option<u64> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    text.bytes().try_fold(0u64, |value, b| {
        value.checked_mul(10)?.checked_add(u64::from(b.is_ascii_digit().then(|| b - b'0')?))
    })
}

/// Parses decimal seconds to µs. More digits are cut off; more than 30,000 years are an error.
pub(super) fn seconds(text: &str) -> Option<Micros> {
    let (whole, fraction) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = integer(whole).filter(|&s| s < 1_000_000_000_000)? as i64;
    let mut micros = 0;
    for at in 0..6.max(fraction.len()) {
        match fraction.as_bytes().get(at) {
            Some(b) if !b.is_ascii_digit() => return None,
            digit if at < 6 => micros = micros * 10 + digit.map_or(0, |b| i64::from(b - b'0')),
            _ => {}
        }
    }
    Some(digits * 1_000_000 + micros)
}

/// Appends `value` in decimal with at least `width` digits.
pub(crate) fn push_integer(out: &mut String, value: u64, width: usize) {
    let (mut digits, mut count, mut value) = ([b'0'; 20], 0, value);
    while value > 0 || count < width {
        digits[count] = b'0' + (value % 10) as u8;
        value /= 10;
        count += 1;
    }
    digits[..count].iter().rev().for_each(|&d| out.push(char::from(d)));
}
