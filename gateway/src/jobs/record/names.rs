//! Names of files: `APP/NAME/2026-11-29T08-50-00Z.mp4`.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use media::hls::playlist::{date_text, parse_date};

use crate::core::hub::StreamName;

/// Ending of the playlist, and of the mark of a recording that is kept.
pub(super) const LIST: &str = "m3u8";
pub(super) const KEEP: &str = "keep";

/// Returns the folder of a stream. Segments of a stream's name are names of files: they contain no slash and no
/// control character, and do not begin with a dot.
pub(super) fn folder(root: &Path, stream: &StreamName) -> PathBuf {
    root.join(stream.as_str())
}

/// Returns the name without ending of a recording that begins now. `number` tells recordings of the same second apart.
pub(super) fn stem(begin: SystemTime, number: u32) -> String {
    let micros = begin.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
    let mut stem = date_text(micros).replace(':', "-");
    stem.truncate(19);
    stem.push('Z');
    if number > 0 { format!("{stem}-{}", number + 1) } else { stem }
}

/// Returns when a recording of this name (without ending) began; `None` if it is not the name of a recording.
pub(super) fn begin(stem: &str) -> Option<SystemTime> {
    let (time, number) = stem.split_at_checked(20)?;
    let number = if number.is_empty() { "1" } else { number.strip_prefix('-')? };
    if !(1..=4).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_digit()) || !time.is_ascii() {
        return None;
    }
    let (day, clock) = time.split_once('T')?;
    let micros = parse_date(&format!("{day}T{}", clock.replace('-', ":")))?;
    let begin = UNIX_EPOCH + Duration::from_micros(u64::try_from(micros).ok()?);
    // Only one name belongs to a time.
    (self::stem(begin, 0) == time).then_some(begin)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_the_time_and_nothing_else_is_a_name() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_942_200);
        assert_eq!(stem(time, 0), "2026-11-29T08-50-00Z");
        assert_eq!(stem(time, 1), "2026-11-29T08-50-00Z-2");
        for number in [0, 1, 98] {
            assert_eq!(begin(&stem(time, number)), Some(time));
        }
        for bad in [
            "",
            "..",
            "2026-11-29T08-50-00",
            "2026-11-29T08-50-00Z-",
            "2026-11-29T08-50-00Z-/etc",
            "2026-11-29T08-50-00Z.mp4",
            "2026-13-29T08-50-00Z",
            "2026-11-31T08-50-00Z",
            "../../../../etc/pass",
            "２026-11-29T08-50-00Z",
        ] {
            assert_eq!(begin(bad), None, "{bad}");
        }
    }
}
