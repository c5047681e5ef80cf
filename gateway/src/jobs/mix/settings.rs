//! Settings of mixes.

use std::path::PathBuf;
use std::str::FromStr;

use clap::{Args, ValueEnum};
use serde::{Deserialize, Serialize};

use super::request::MixRequest;
use crate::flags;

/// Settings of mixes.
#[derive(Debug, Clone, PartialEq, Eq, Args, Serialize, Deserialize)]
#[group(skip)]
pub struct MixSettings {
    /// Mixes at once; 0: one per core
    #[arg(long, env = "LIANMAI_MIX_MAX", value_name = "N", default_value_t = 0, help_heading = "Mix")]
    pub mix_max: usize,

    /// Video encoder of mixes, an encoder of ffmpeg: libx264 with a preset, h264_nvenc, h264_qsv, h264_vaapi or
    /// h264_v4l2m2m
    #[arg(
        long,
        env = "LIANMAI_MIX_ENCODER",
        value_name = "NAME",
        default_value = "libx264 superfast",
        help_heading = "Mix"
    )]
    pub mix_encoder: String,

    /// Size of the picture of mixes that have no size of their own, such as those of rooms
    #[arg(
        long,
        env = "LIANMAI_MIX_SIZE",
        value_name = "WIDTHxHEIGHT",
        default_value = "1280x720",
        help_heading = "Mix"
    )]
    pub mix_size: MixSize,

    /// Pictures per second of mixes that have no rate of their own
    #[arg(long, env = "LIANMAI_MIX_RATE", value_name = "N", default_value_t = 30, help_heading = "Mix")]
    pub mix_rate: u32,

    /// Behaviour of a mix while the machine is too slow for it. auto: the mix lowers its quality (preset, then rate,
    /// then size); full: the mix leaves out pictures
    #[arg(
        long,
        env = "LIANMAI_MIX_QUALITY",
        value_name = "HOW",
        default_value = "auto",
        value_enum,
        help_heading = "Mix"
    )]
    pub mix_quality: MixQuality,

    /// Font file (TrueType or OpenType) for names that the built-in font cannot show, such as Chinese ones; without it,
    /// the gateway looks for Noto and WenQuanYi fonts in the usual folders
    #[arg(long, env = "LIANMAI_MIX_FONT", value_name = "FILE", default_value = "", value_parser = flags::path,
          help_heading = "Mix")]
    pub mix_font: PathBuf,

    /// Image behind the pictures of a mix whose background is `image`
    #[arg(long, env = "LIANMAI_MIX_BACKGROUND", value_name = "FILE", default_value = "", value_parser = flags::path,
          help_heading = "Mix")]
    pub mix_background: PathBuf,

    /// Mixes that run from the start, as OUTPUT=INPUT+INPUT or in the JSON of the API: live/merge=live/a+live/b. In the
    /// settings file, a table [[mix]] each
    #[arg(long, env = "LIANMAI_MIX", value_name = "MIX", value_parser = parse, help_heading = "Mix")]
    pub mix: Vec<MixRequest>,
}

impl Default for MixSettings {
    fn default() -> Self {
        flags::defaults()
    }
}

impl MixSettings {
    /// Returns the maximum number of mixes.
    pub fn most(&self) -> usize {
        match self.mix_max {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            most => most,
        }
    }
}

/// Behaviour of a mix while the machine is too slow for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MixQuality {
    /// The mix lowers its quality.
    Auto,
    /// The mix leaves out pictures.
    Full,
}

/// The size of a picture in pixels, written `1280x720`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct MixSize {
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

impl FromStr for MixSize {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('x').and_then(|(w, h)| Some((w.parse().ok()?, h.parse().ok()?)));
        let (width, height) = parts.ok_or_else(|| format!("{text:?} is not a size such as 1280x720"))?;
        Ok(Self { width, height })
    }
}

impl TryFrom<String> for MixSize {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<MixSize> for String {
    fn from(size: MixSize) -> Self {
        format!("{}x{}", size.width, size.height)
    }
}

/// Parses a mix of the command line.
fn parse(text: &str) -> Result<MixRequest, String> {
    let mix = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| error.to_string())?
    } else {
        let Some((output, inputs)) = text.split_once('=') else {
            return Err("a mix is OUTPUT=INPUT+INPUT, as in live/merge=live/a+live/b, or JSON".to_owned());
        };
        MixRequest::new(output.trim(), &inputs.split('+').map(str::trim).collect::<Vec<_>>())
    };
    mix.clone().or((1280, 720), 30).check().map(|()| mix)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mix_is_given_in_short_or_as_json() {
        let short = parse("live/merge=live/a+live/b").unwrap();
        assert_eq!(short, MixRequest::new("live/merge", &["live/a", "live/b"]));
        let json = parse(r#"{"inputs":["live/a"],"output":"live/merge","rate":25}"#).unwrap();
        assert_eq!(json.rate, 25);
        assert_eq!("1280x720".parse(), Ok(MixSize { width: 1280, height: 720 }));
        assert!("1280".parse::<MixSize>().unwrap_err().contains("1280x720"));
        for (text, said) in
            [("live/merge", "OUTPUT=INPUT"), ("live/a=live/a", "output"), ("{}", "missing field")]
        {
            let error = parse(text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn without_a_limit_there_is_a_mix_per_core() {
        let settings = MixSettings::default();
        assert!(settings.most() >= 1);
        assert_eq!(MixSettings { mix_max: 3, ..settings }.most(), 3);
    }
}
