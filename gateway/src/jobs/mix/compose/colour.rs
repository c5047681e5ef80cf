//! Colours in the limited range of BT.709.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A colour. It is written `#rrggbb`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Colour {
    /// Red, 0 to 255.
    pub red: u8,
    /// Green, 0 to 255.
    pub green: u8,
    /// Blue, 0 to 255.
    pub blue: u8,
}

/// The text is not a colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NotAColour;

impl Colour {
    /// Creates a colour from `0xrrggbb`.
    pub const fn new(rgb: u32) -> Self {
        Self { red: (rgb >> 16) as u8, green: (rgb >> 8) as u8, blue: rgb as u8 }
    }

    /// Returns the samples of Y, U and V.
    pub(super) fn yuv(self) -> [u8; 3] {
        let [r, g, b] = [self.red, self.green, self.blue].map(|n| f64::from(n) / 255.0);
        let y = 0.2126 * r + 0.7152 * g + 0.0722 * b;
        let [u, v] = [(b - y) / 1.8556, (r - y) / 1.5748].map(|n| (128.0 + 224.0 * n).round() as u8);
        [(16.0 + 219.0 * y).round() as u8, u, v]
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl fmt::Display for NotAColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a colour is written #rrggbb")
    }
}

impl std::error::Error for NotAColour {}

impl FromStr for Colour {
    type Err = NotAColour;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6);
        let digits =
            digits.filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit())).ok_or(NotAColour)?;
        u32::from_str_radix(digits, 16).map(Self::new).map_err(|_| NotAColour)
    }
}

impl TryFrom<String> for Colour {
    type Error = NotAColour;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<Colour> for String {
    fn from(colour: Colour) -> Self {
        colour.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_in_the_limited_range_of_bt_709() {
        for (rgb, yuv) in [
            (0x00_0000, [16, 128, 128]),
            (0xff_ffff, [235, 128, 128]),
            (0xff_0000, [63, 102, 240]),
            (0x00_ff00, [173, 42, 26]),
            (0x00_00ff, [32, 240, 118]),
        ] {
            assert_eq!(Colour::new(rgb).yuv(), yuv, "{rgb:06x}");
        }
    }

    #[test]
    fn a_colour_is_six_digits() {
        assert_eq!("#12aB00".parse(), Ok(Colour::new(0x12_ab00)));
        assert_eq!(serde_json::to_string(&Colour::new(0x12_ab00)).unwrap(), "\"#12ab00\"");
        for bad in ["", "#", "red", "#12345", "#1234567", "123456", "#+12345", "#12345é"] {
            assert_eq!(bad.parse::<Colour>(), Err(NotAColour), "{bad}");
        }
    }
}
