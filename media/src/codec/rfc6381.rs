//! Codec strings as WebCodecs and MSE want them (RFC 6381, and each codec's own ISO BMFF binding).

use super::aac::AudioSpecificConfig;
use crate::config::{Codec, Config};

/// `avc1.64001f`, `hvc1.1.6.L93.B0`, `av01.0.04M.08`, `vp09.00.31.08`, `mp4a.40.2`, `opus`, `mp3` …
pub fn rfc6381(config: &Config) -> String {
    let d = &config.description[..];
    match config.codec {
        Codec::H264 => {
            let mut out = String::from("avc1.");
            d.get(1..4).unwrap_or_default().iter().for_each(|&byte| push_hex(&mut out, byte));
            out
        }
        Codec::Aac => {
            let mut out = String::from("mp4a.40.");
            push_decimal(
                &mut out,
                AudioSpecificConfig::parse(d).map_or(2, |asc| asc.rfc6381_type().into()),
                1,
            );
            out
        }
        Codec::H265 => String::from("hvc1"),
        Codec::Av1 => String::from("av01"),
        Codec::Vp8 => String::from("vp8"),
        Codec::Vp9 => String::from("vp09"),
        Codec::Opus => String::from("opus"),
        Codec::Mp3 => String::from("mp3"),
        Codec::PcmAlaw => String::from("alaw"),
        Codec::PcmMulaw => String::from("ulaw"),
    }
}

impl Config {
    /// The codec string that WebCodecs and MSE want: see [`rfc6381`].
    pub fn codec_string(&self) -> String {
        rfc6381(self)
    }
}

// By hand: the formatting machinery costs kilobytes in WebAssembly.
fn push_hex(out: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 15] {
        out.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
    }
}

fn push_decimal(out: &mut String, number: u32, least_digits: usize) {
    let mut digits = [0u8; 10];
    let mut at = digits.len();
    let mut rest = number;
    while rest > 0 || digits.len() - at < least_digits {
        at -= 1;
        digits[at] = b'0' + (rest % 10) as u8;
        rest /= 10;
    }
    digits[at..].iter().for_each(|&digit| out.push(char::from(digit)));
}
