//! The encoders that a mix can use, in software and hardware.

use std::fmt;
use std::str::FromStr;

use crate::net::child::Limits;

/// An H.264 encoder of ffmpeg.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EncoderName {
    /// `libx264 superfast`: x264 with the quality of `veryfast`, in two thirds of its time.
    #[default]
    Superfast,
    /// `libx264 veryfast`.
    Veryfast,
    /// `libx264 ultrafast`: for machines that are too slow for the others.
    Ultrafast,
    /// `h264_vaapi`: graphics cards of Intel and AMD.
    Vaapi,
    /// `h264_nvenc`: graphics cards of NVIDIA.
    Nvenc,
    /// `h264_qsv`: Intel Quick Sync Video.
    Qsv,
    /// `h264_v4l2m2m`: Video4Linux, as in a Raspberry Pi.
    V4l2,
}

impl EncoderName {
    /// All encoders, the default first.
    pub const ALL: [Self; 7] =
        [Self::Superfast, Self::Veryfast, Self::Ultrafast, Self::Vaapi, Self::Nvenc, Self::Qsv, Self::V4l2];

    /// Returns the name in the settings.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Superfast => "libx264 superfast",
            Self::Veryfast => "libx264 veryfast",
            Self::Ultrafast => "libx264 ultrafast",
            Self::Vaapi => "h264_vaapi",
            Self::Nvenc => "h264_nvenc",
            Self::Qsv => "h264_qsv",
            Self::V4l2 => "h264_v4l2m2m",
        }
    }

    /// Returns the encoder for a machine that is too slow for this one.
    pub const fn fastest(self) -> Self {
        match self {
            Self::Superfast | Self::Veryfast => Self::Ultrafast,
            other => other,
        }
    }

    /// Returns whether it uses the CPU only.
    pub(super) const fn is_software(self) -> bool {
        matches!(self, Self::Superfast | Self::Veryfast | Self::Ultrafast)
    }

    /// Returns ffmpeg's arguments before the input.
    pub(super) const fn device(self) -> &'static str {
        match self {
            Self::Vaapi => "-vaapi_device /dev/dri/renderD128",
            _ => "",
        }
    }

    /// Returns ffmpeg's arguments for the encoder: no B-frames, no delay, and IDR frames where key frames are forced.
    pub(super) const fn arguments(self) -> &'static str {
        match self {
            Self::Superfast => {
                "-c:v libx264 -preset superfast -tune zerolatency -profile:v high -bf 0 -sc_threshold 0 \
                 -forced-idr 1 -threads 2 -pix_fmt yuv420p"
            }
            Self::Veryfast => {
                "-c:v libx264 -preset veryfast -tune zerolatency -profile:v high -bf 0 -sc_threshold 0 \
                 -forced-idr 1 -threads 2 -pix_fmt yuv420p"
            }
            Self::Ultrafast => {
                "-c:v libx264 -preset ultrafast -tune zerolatency -profile:v high -bf 0 -sc_threshold 0 \
                 -forced-idr 1 -threads 2 -pix_fmt yuv420p"
            }
            Self::Vaapi => "-vf format=nv12,hwupload -c:v h264_vaapi -profile:v high -bf 0 -async_depth 1",
            Self::Nvenc => {
                "-c:v h264_nvenc -preset p3 -tune ull -profile:v high -rc cbr -bf 0 -delay 0 -zerolatency 1 \
                 -no-scenecut 1 -forced-idr 1 -pix_fmt yuv420p"
            }
            Self::Qsv => {
                "-c:v h264_qsv -preset veryfast -profile:v high -bf 0 -async_depth 1 -forced_idr 1 -pix_fmt nv12"
            }
            // This encoder announces no parameter sets: they are taken from the key frames.
            Self::V4l2 => "-c:v h264_v4l2m2m -bf 0 -pix_fmt yuv420p -bsf:v extract_extradata",
        }
    }

    /// Returns the limits of the process. Drivers of graphics cards reserve much address space and open many files.
    pub(super) const fn limits(self) -> Limits {
        let limits = Limits { cpu_seconds: MAX_CPU_SECONDS, ..Limits::CODEC };
        if self.is_software() { limits } else { Limits { address_space: None, open_files: 512, ..limits } }
    }
}

/// Maximum CPU time of an encoder in seconds. It runs as long as the mix, at most [`super::encoder::TERM`].
const MAX_CPU_SECONDS: u64 = 30 * 24 * 3600;

impl fmt::Display for EncoderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for EncoderName {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let allowed = || Self::ALL.map(Self::name).join(", ");
        Self::ALL
            .into_iter()
            .find(|encoder| encoder.name() == name)
            .ok_or_else(|| format!("is no encoder of a mix; use one of: {}", allowed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoders_have_names_and_other_names_are_refused_with_a_list() {
        for encoder in EncoderName::ALL {
            assert_eq!(encoder.name().parse(), Ok(encoder));
        }
        for refused in ["", "libx265", "libx264", "libx264 superfast -f hls x"] {
            let error = refused.parse::<EncoderName>().unwrap_err();
            assert!(
                error.contains("libx264 superfast, libx264 veryfast, libx264 ultrafast, h264_vaapi"),
                "{error}"
            );
        }
        assert_eq!(EncoderName::default(), EncoderName::Superfast);
    }
}
