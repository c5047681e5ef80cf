//! Maps the H.264 profiles in offers (RFC 6184 8.1) to those that str0m negotiates.

/// The profiles that str0m negotiates, each as its own `profile-level-id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Profile {
    Baseline,
    ConstrainedBaseline,
    Main,
    High,
}

impl Profile {
    /// The profile that `profile-level-id` names, or the nearest one; and whether it is exactly that profile.
    ///
    /// Decoders of a higher profile play the lower ones, so a client that names only profiles that str0m does not
    /// know is treated as if it named the nearest.
    pub(super) fn nearest(profile_level_id: Option<&str>) -> (Self, bool) {
        let value = profile_level_id.and_then(|text| u32::from_str_radix(text, 16).ok());
        // The default is Baseline (RFC 6184 8.1).
        let [_, profile, constraints, _] = value.unwrap_or(0x42_00_0a).to_be_bytes();
        // Table 5 of RFC 6184.
        match (profile, constraints) {
            (0x42, c) if c & 0x4f == 0x40 => (Self::ConstrainedBaseline, true),
            (0x42, _) => (Self::Baseline, true),
            (0x4d, c) if c & 0x8f == 0x80 => (Self::ConstrainedBaseline, true),
            (0x4d, _) => (Self::Main, true),
            (0x58, c) if c & 0xcf == 0xc0 => (Self::ConstrainedBaseline, true),
            (0x58, c) if c & 0xcf == 0x80 => (Self::Baseline, true),
            (0x58, _) => (Self::Main, false),
            (0x64, 0) => (Self::High, true),
            _ => (Self::High, false),
        }
    }

    /// str0m's `profile-level-id` of the profile. The level in it stands for all levels.
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Baseline => "42001f",
            Self::ConstrainedBaseline => "42e01f",
            Self::Main => "4d001f",
            Self::High => "64001f",
        }
    }

    /// Whether str0m negotiates the profile in packetization mode 0, too.
    pub(super) const fn in_mode_0(self) -> bool {
        !matches!(self, Self::High)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_profile_has_a_nearest() {
        use Profile::{Baseline, ConstrainedBaseline, High, Main};
        for (id, profile, exact) in [
            ("42001f", Baseline, true),
            ("42e01f", ConstrainedBaseline, true),
            ("42c00a", ConstrainedBaseline, true),
            ("42E034", ConstrainedBaseline, true),
            ("4d001f", Main, true),
            ("4d401e", Main, true),
            ("58001f", Main, false),
            ("640032", High, true),
            ("640c34", High, false),
            ("6e0028", High, false),
            ("7a0032", High, false),
            ("f4001f", High, false),
            ("2c001f", High, false),
        ] {
            assert_eq!(Profile::nearest(Some(id)), (profile, exact), "{id}");
        }
        for none in [None, Some("")] {
            assert_eq!(Profile::nearest(none), (Baseline, true));
        }
    }
}
