//! Names of codec profiles and levels, in SRS's form.

use media::{Codec, Config};

/// Returns profile and level of a video configuration; empty for codecs without them.
pub(super) fn video(config: &Config) -> (String, String) {
    let byte = |at: usize| config.description.get(at).copied().unwrap_or(0);
    match config.codec {
        // avcC: version, profile, compatibility, level (ISO/IEC 14496-15, 5.3.3).
        Codec::H264 => {
            let profile = match (byte(1), byte(2) & 0x40) {
                (66, 0) => "Baseline",
                (66, _) => "Baseline(Constrained)",
                (77, _) => "Main",
                (88, _) => "Extended",
                (100, _) => "High",
                (110, _) => "High(10)",
                (122, _) => "High(422)",
                (244, _) => "High(444)",
                _ => "Other",
            };
            (profile.to_owned(), level(u32::from(byte(3)), 10))
        }
        // hvcC: version, profile, 4 bytes of compatibility, 6 of constraints, level (8.3.3).
        Codec::H265 => {
            let profile = match byte(1) & 0x1f {
                1 => "Main",
                2 => "Main10",
                3 => "MainStillPicture",
                4 => "Rext",
                _ => "Other",
            };
            (profile.to_owned(), level(u32::from(byte(12)), 30))
        }
        _ => (String::new(), String::new()),
    }
}

/// Formats a level: `31` with unit 10 becomes `3.1`; a whole number has no fraction.
fn level(value: u32, unit: u32) -> String {
    let (whole, tenths) = (value / unit, value % unit * 10 / unit);
    if tenths == 0 { whole.to_string() } else { format!("{whole}.{tenths}") }
}

/// Returns the profile of an audio configuration; empty for codecs without profiles.
pub(super) fn audio(config: &Config) -> String {
    if config.codec != Codec::Aac {
        return String::new();
    }
    // AudioSpecificConfig begins with 5 bits of object type (ISO/IEC 14496-3, 1.6.2.1).
    let profile = match config.description.first().copied().unwrap_or(0) >> 3 {
        1 => "Main",
        2 => "LC",
        3 => "SSR",
        5 => "HE",
        29 => "HEv2",
        _ => "Other",
    };
    profile.to_owned()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use media::{Format, Video};

    use super::*;

    #[test]
    fn levels_are_written_as_people_say_them() {
        let config = |codec, description: &'static [u8]| Config {
            codec,
            format: Format::Video(Video { width: 2, height: 2 }),
            description: Bytes::from_static(description),
        };
        let h264 = video(&config(Codec::H264, &[1, 100, 0, 31]));
        assert_eq!(h264, ("High".to_owned(), "3.1".to_owned()));
        let h265 = video(&config(Codec::H265, &[1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 93]));
        assert_eq!(h265, ("Main".to_owned(), "3.1".to_owned()));
        assert_eq!(video(&config(Codec::H264, &[1, 77, 0, 40])).1, "4");
        // A truncated description must not panic.
        assert_eq!(video(&config(Codec::H265, &[])), ("Other".to_owned(), "0".to_owned()));
    }
}
