//! Signed addresses: a signature with an expiry in the query, made by the operator's site with a shared key.
//!
//! Two forms are accepted. `?expires=UNIX&sig=HEX` has an HMAC-SHA256 of the act, the stream and the expiry. The form
//! of CDNs, `?txSecret=HEX&txTime=HEX`, has the MD5 of key, stream name and expiry. MD5 is too weak for other purposes;
//! here the key stands first and nobody chooses the rest freely.

use std::fmt::Write as _;

use aws_lc_rs::hmac;
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::denied::Denied;
use crate::core::client::Act;
use crate::core::name::StreamName;

/// Minimum length of a key in bytes.
pub const MIN_KEY: usize = 16;

/// A signature in a query.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Signature {
    /// `expires` and `sig`.
    Hmac(String, String),
    /// `txTime` and `txSecret`.
    Tx(String, String),
}

impl Signature {
    fn of(query: &str) -> Option<Self> {
        let value = |name| {
            form_urlencoded::parse(query.as_bytes())
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.into_owned())
        };
        if let Some(signature) = value("sig") {
            return Some(Self::Hmac(value("expires").unwrap_or_default(), signature));
        }
        value("txSecret").map(|secret| Self::Tx(value("txTime").unwrap_or_default(), secret))
    }

    /// Returns the expiry in seconds since 1970.
    fn expires(&self) -> Option<u64> {
        let is_number = |text: &str, radix| text.chars().all(|c| c.is_digit(radix));
        match self {
            Self::Hmac(time, _) => time.parse().ok().filter(|_| is_number(time, 10)),
            Self::Tx(time, _) => u64::from_str_radix(time, 16).ok().filter(|_| is_number(time, 16)),
        }
    }

    /// Compares the signature in constant time.
    fn is_made_with(&self, key: &str, act: Act, stream: &StreamName) -> bool {
        match self {
            Self::Hmac(time, shown) => {
                let key = hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes());
                let signed = hmac::sign(&key, format!("{}\n{stream}\n{time}", act.word()).as_bytes());
                is_same(shown, signed.as_ref())
            }
            Self::Tx(time, shown) => {
                let hash = Md5::digest(format!("{key}{}{time}", stream.stream()));
                is_same(shown, &hash)
            }
        }
    }
}

/// Compares hexadecimal digits with bytes in constant time.
fn is_same(shown: &str, bytes: &[u8]) -> bool {
    let wanted = bytes.iter().fold(String::new(), |mut out, byte| {
        // A text written to a String does not fail.
        let _ = write!(out, "{byte:02x}");
        out
    });
    bool::from(shown.to_ascii_lowercase().as_bytes().ct_eq(wanted.as_bytes()))
}

/// Returns whether a query has a signature.
pub(super) fn is_signed(query: &str) -> bool {
    Signature::of(query).is_some()
}

/// Checks the signature of a query. Returns false if it has none.
///
/// # Errors
/// The signature is wrong, or has expired at `now`, in seconds since 1970.
pub(super) fn check(key: &str, act: Act, stream: &StreamName, query: &str, now: u64) -> Result<bool, Denied> {
    let Some(signature) = Signature::of(query) else { return Ok(false) };
    let expires = signature.expires().ok_or(Denied::Signature)?;
    if !signature.is_made_with(key, act, stream) {
        return Err(Denied::Signature);
    }
    if expires <= now {
        return Err(Denied::Expired(now - expires));
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";
    const NOW: u64 = 1_800_000_000;

    fn checked(query: &str) -> Result<bool, Denied> {
        let stream = StreamName::parse("live/x").unwrap();
        check(KEY, Act::Play, &stream, query, NOW)
    }

    #[test]
    fn signatures_that_openssl_makes_are_right_until_they_expire() {
        // printf 'play\nlive/x\n1800000060' | openssl dgst -sha256 -hmac "$KEY"
        let sig = "b2b112c411bb2f58c26ec03d2ce30ec64c07f39cd821edf425fc7a4fc6dd11a4";
        assert_eq!(checked(&format!("expires=1800000060&sig={sig}")), Ok(true));
        assert_eq!(checked(&format!("a=b&sig={}&expires=1800000060", sig.to_uppercase())), Ok(true));
        // printf '%s' "${KEY}x6B49D23C" | md5sum
        let tx = "91c3dbd1951bb935bce1fea5ba50a140";
        assert_eq!(checked(&format!("txSecret={tx}&txTime=6B49D23C")), Ok(true));
        assert_eq!(checked("expires=1800000060"), Ok(false));
        assert_eq!(checked("secret=x"), Ok(false));
        // printf 'play\nlive/x\n1799999990' | openssl dgst -sha256 -hmac "$KEY"
        let old = "d5e558b161e613d31c47ff835b92ccae9d44a68ff019e00470829d9d734df18c";
        assert_eq!(checked(&format!("expires=1799999990&sig={old}")), Err(Denied::Expired(10)));
        for wrong in [
            format!("expires=1800000061&sig={sig}"),
            format!("expires=+1800000060&sig={sig}"),
            format!("sig={sig}"),
            format!("expires=1800000060&sig={}", &sig[1..]),
            "expires=1800000060&sig=".to_owned(),
            format!("txSecret={tx}&txTime=6B49D23D"),
            format!("txSecret={tx}&txTime=6b49d23c"),
            format!("txSecret={tx}"),
            format!("txSecret={sig}&txTime=6B49D23C"),
        ] {
            assert_eq!(checked(&wrong), Err(Denied::Signature), "{wrong}");
        }
        // The signature is for one act and one stream.
        let query = format!("expires=1800000060&sig={sig}");
        let (x, y) = (StreamName::parse("live/x").unwrap(), StreamName::parse("live/y").unwrap());
        assert_eq!(check(KEY, Act::Publish, &x, &query, NOW), Err(Denied::Signature));
        assert_eq!(check(KEY, Act::Play, &y, &query, NOW), Err(Denied::Signature));
        assert_eq!(check("another key of 16", Act::Play, &x, &query, NOW), Err(Denied::Signature));
    }
}
