//! Signed addresses of a CDN, which the gateway makes for players.
//!
//! Start reading at [`Cdn::address`]. The forms are those of Tencent Cloud (`txSecret`) and Alibaba Cloud (type A,
//! `auth_key`); other CDNs use the same ones.

mod settings;

use md5::{Digest as _, Md5};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

pub use self::settings::{CdnSettings, CdnSign};
use crate::core::name::StreamName;

/// Minimum length of a key in characters.
const MIN_KEY: usize = 8;
/// Maximum time for which an address is valid, in seconds.
pub const MAX_LIFE: u64 = 7 * 24 * 3600;
/// Characters to escape in a part of a path.
const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A CDN that has the streams of this gateway.
#[derive(Clone)]
pub struct Cdn {
    url: String,
    sign: CdnSign,
    key: String,
}

impl std::fmt::Debug for Cdn {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Cdn({}, {:?})", self.url, self.sign)
    }
}

impl Cdn {
    /// Returns the CDN of the settings; `None` if they name none.
    ///
    /// # Errors
    /// A setting is missing or not valid; the text says which.
    pub fn new(settings: &CdnSettings) -> Result<Option<Self>, String> {
        let CdnSettings { cdn_url, cdn_sign, cdn_key } = settings;
        if cdn_url.is_empty() {
            return Ok(None);
        }
        let is_address = cdn_url.starts_with("https://") || cdn_url.starts_with("http://");
        if !is_address || cdn_url.contains(['?', '#', '@']) || cdn_url.contains(char::is_whitespace) {
            return Err(format!("cdn_url {cdn_url:?} must be an address such as https://live.example.com"));
        }
        if *cdn_sign != CdnSign::None && cdn_key.len() < MIN_KEY {
            return Err(format!("cdn_sign needs cdn_key, with at least {MIN_KEY} characters"));
        }
        let url = cdn_url.trim_end_matches('/').to_owned();
        Ok(Some(Self { url, sign: *cdn_sign, key: cdn_key.clone() }))
    }

    /// Returns the address of a stream at the CDN that is valid until `expires`, in seconds since 1970. `ending` is
    /// `m3u8` or `flv`.
    pub fn address(&self, stream: &StreamName, ending: &str, expires: u64) -> String {
        let nonce = format!("{:032x}", rand::random::<u128>());
        self.address_with(stream, ending, expires, &nonce)
    }

    fn address_with(&self, stream: &StreamName, ending: &str, expires: u64, nonce: &str) -> String {
        let parts = stream.as_str().split('/').map(|part| utf8_percent_encode(part, ESCAPED).to_string());
        let path = format!("/{}.{ending}", parts.collect::<Vec<_>>().join("/"));
        let query = match self.sign {
            CdnSign::None => String::new(),
            CdnSign::Tencent => {
                let time = format!("{expires:X}");
                format!("?txSecret={}&txTime={time}", hash(&format!("{}{}{time}", self.key, stream.stream())))
            }
            CdnSign::Aliyun => {
                // The signed path contains the folder of `cdn_url`, if it has one.
                let folder = self.url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
                let folder = folder.map_or_else(String::new, |(_, folder)| format!("/{folder}"));
                let hash = hash(&format!("{folder}{path}-{expires}-{nonce}-0-{}", self.key));
                format!("?auth_key={expires}-{nonce}-0-{hash}")
            }
        };
        format!("{}{path}{query}", self.url)
    }
}

fn hash(text: &str) -> String {
    Md5::digest(text).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cdn(sign: CdnSign, url: &str) -> Cdn {
        let (cdn_url, cdn_key) = (url.to_owned(), "0123456789abcdef".to_owned());
        Cdn::new(&CdnSettings { cdn_url, cdn_sign: sign, cdn_key }).unwrap().unwrap()
    }

    /// `printf '%s' "0123456789abcdefx6B49D23C" | md5sum`, and
    /// `printf '%s' "/live/x.m3u8-1800000060-abc-0-0123456789abcdef" | md5sum`
    #[test]
    fn addresses_have_the_forms_of_the_cdns() {
        let stream = StreamName::parse("live/x").unwrap();
        let address = |sign, url: &str, ending: &str| {
            cdn(sign, url).address_with(&stream, ending, 1_800_000_060, "abc")
        };
        assert_eq!(address(CdnSign::None, "https://cdn.example/", "flv"), "https://cdn.example/live/x.flv");
        assert_eq!(
            address(CdnSign::Tencent, "https://cdn.example", "flv"),
            "https://cdn.example/live/x.flv?txSecret=9ebc000114f4fdeb39837cf1f2a50a48&txTime=6B49D23C"
        );
        assert_eq!(
            address(CdnSign::Aliyun, "https://cdn.example", "m3u8"),
            "https://cdn.example/live/x.m3u8?auth_key=1800000060-abc-0-0d71589387e7876c837165d3a2d91917"
        );
        assert_eq!(
            address(CdnSign::Aliyun, "https://cdn.example/hls", "m3u8"),
            "https://cdn.example/hls/live/x.m3u8?auth_key=1800000060-abc-0-ce5d86d5703f6bc18b4e09b2b33e7125"
        );
        let odd = StreamName::parse("live/é").unwrap();
        let address = cdn(CdnSign::None, "https://cdn.example").address(&odd, "m3u8", 0);
        assert_eq!(address, "https://cdn.example/live/%C3%A9.m3u8");
    }

    #[test]
    fn settings_are_checked_and_the_key_is_not_shown() {
        assert!(Cdn::new(&CdnSettings::default()).unwrap().is_none());
        for (url, sign, key) in [
            ("cdn.example", CdnSign::None, ""),
            ("https://user@cdn.example", CdnSign::None, ""),
            ("https://cdn.example?a=b", CdnSign::None, ""),
            ("https://cdn.example", CdnSign::Tencent, ""),
            ("https://cdn.example", CdnSign::Aliyun, "short"),
        ] {
            let settings = CdnSettings { cdn_url: url.to_owned(), cdn_sign: sign, cdn_key: key.to_owned() };
            assert!(Cdn::new(&settings).is_err(), "{url}");
        }
        assert!(!format!("{:?}", cdn(CdnSign::Tencent, "https://cdn.example")).contains("0123"));
    }
}
