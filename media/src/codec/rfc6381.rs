//! Codec strings for WebCodecs and MSE (RFC 6381, and each codec's own ISO BMFF binding).

use super::aac::AudioSpecificConfig;
use crate::config::{Codec, Config};

/// Returns `avc1.64001f`, `hvc1.1.6.L93.B0`, `av01.0.04M.08`, `vp09.00.31.08`, `mp4a.40.2`, `opus`, `mp3` …
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
        Codec::H265 => h265(d),
        Codec::Av1 => av1(d),
        Codec::Vp8 => String::from("vp8"),
        Codec::Vp9 => {
            // Profile, level and bit depth.
            let [profile, level, depth] = d.first_chunk::<3>().copied().unwrap_or([0, 10, 0x80]);
            let mut out = String::from("vp09");
            for number in [profile, level, depth >> 4] {
                out.push('.');
                push_decimal(&mut out, number.into(), 2);
            }
            out
        }
        Codec::Opus => String::from("opus"),
        Codec::Mp3 => String::from("mp3"),
        Codec::PcmAlaw => String::from("alaw"),
        Codec::PcmMulaw => String::from("ulaw"),
    }
}

/// Follows ISO/IEC 14496-15 E.3: profile space and profile, compatibility flags in reverse bit order without
/// leading zeros, tier and level, constraint bytes without trailing zeros.
fn h265(hvcc: &[u8]) -> String {
    let mut out = String::from("hvc1.");
    let Some(head) = hvcc.first_chunk::<13>() else { return out };
    if let space @ 1..=3 = head[1] >> 6 {
        out.push(char::from(b'@' + space));
    }
    push_decimal(&mut out, (head[1] & 0x1f).into(), 1);
    out.push('.');
    let compatibility = u32::from_be_bytes([head[2], head[3], head[4], head[5]]).reverse_bits();
    let digits = (32 - compatibility.leading_zeros()).div_ceil(4).max(1);
    for digit in (0..digits).rev() {
        push_digit(&mut out, (compatibility >> (4 * digit) & 15) as u8);
    }
    out.push_str(if head[1] & 0x20 != 0 { ".H" } else { ".L" });
    push_decimal(&mut out, head[12].into(), 1);
    let constraints = &head[6..12];
    let used = constraints.iter().rposition(|&byte| byte != 0).map_or(0, |last| last + 1);
    for &byte in &constraints[..used] {
        out.push('.');
        push_hex(&mut out, byte);
    }
    // The standard's own examples are in upper case.
    out[5..].make_ascii_uppercase();
    out
}

/// Follows AV1 in ISO BMFF, section 5: profile, level and tier, bit depth.
fn av1(av1c: &[u8]) -> String {
    let mut out = String::from("av01.");
    let [_, profile, depth] = av1c.first_chunk::<3>().copied().unwrap_or_default();
    push_decimal(&mut out, (profile >> 5).into(), 1);
    out.push('.');
    push_decimal(&mut out, (profile & 0x1f).into(), 2);
    out.push_str(if depth & 0x80 != 0 { "H." } else { "M." });
    push_decimal(&mut out, 8 + u32::from(depth >> 6 & 1) * 2 + u32::from(depth >> 5 & 1) * 2, 2);
    out
}

impl Config {
    /// Returns the codec string for WebCodecs and MSE: see [`rfc6381`].
    pub fn codec_string(&self) -> String {
        rfc6381(self)
    }
}

// Written by hand: `core::fmt` would add kilobytes of WebAssembly.
fn push_hex(out: &mut String, byte: u8) {
    push_digit(out, byte >> 4);
    push_digit(out, byte & 15);
}

fn push_digit(out: &mut String, digit: u8) {
    out.push(char::from(b"0123456789abcdef"[usize::from(digit & 15)]));
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
