//! Passes of viewers of protected streams: `/k/EXPIRES-ID-SIGNATURE/live/x.m3u8`.
//!
//! A token admits once and for a short time, but an HLS player requests its playlist again and again, and the addresses
//! in a playlist do not inherit the query of the playlist's own address. They do inherit its folder. An admitted viewer
//! is therefore sent to an address with a signed folder. Playlists and segments are the same for everybody, every
//! gateway with the key checks the signature without memory, and so do nginx and CDNs.
//!
//! The signature is the MD5 of key, expiry, id, stream and key, since nginx (`secure_link_md5`) can make no HMAC. The key
//! at both ends is what an HMAC does, too: nobody without it can compute or extend the hash.

use std::fmt;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

use super::{HlsSettings, PROTOCOL};
use crate::core::admission::{Ask, Guard, Refusal};
use crate::core::auth::{Denied, MIN_URL_KEY, secret_of};
use crate::core::client::{Act, Identity};
use crate::core::hub::StreamName;

/// Name of the file with the key in the data folder.
const FILE: &str = "hls-key";
/// The first folder of an address with a pass.
const FOLDER: &str = "/k/";
/// The query parameter that contains the pass of a request inside the gateway.
pub(super) const PARAMETER: &str = "hls_pass";
/// Length of the signature: 16 bytes in base64.
const SIGNATURE: usize = 22;

/// A pass whose signature is right and that has not expired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pass {
    /// The viewer.
    pub(super) id: String,
    /// Seconds until it expires.
    pub(super) left: u64,
}

/// Signs and checks passes. Cloning shares the key.
#[derive(Clone)]
pub(super) struct Passes {
    key: Arc<str>,
    /// Seconds for which a pass is valid.
    life: u64,
}

impl fmt::Debug for Passes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passes")
    }
}

impl Passes {
    /// Uses the key of the settings, or the one in the data folder, which is made if there is none.
    ///
    /// # Errors
    /// The key of the settings is too short, or the file cannot be used.
    pub(super) fn kept(settings: &HlsSettings, data: &Path) -> io::Result<Self> {
        let key = match settings.hls_key.as_str() {
            "" => secret_of(data, FILE, true)?.unwrap_or_default(),
            key => key.to_owned(),
        };
        if key.len() < MIN_URL_KEY {
            let text = format!("hls_key has {} characters; it needs at least {MIN_URL_KEY}", key.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        Ok(Self::new(&key, settings.hls_pass.max(60)))
    }

    pub(super) fn new(key: &str, life: u64) -> Self {
        Self { key: key.into(), life }
    }

    /// Returns the seconds for which a new pass is valid.
    pub(super) const fn life(&self) -> u64 {
        self.life
    }

    /// Returns a pass for a viewer of a stream.
    pub(super) fn issue(&self, stream: &StreamName, id: &str) -> String {
        let head = format!("{}-{id}", now() + self.life);
        let signature = self.sign(stream, &head);
        format!("{head}-{signature}")
    }

    /// Checks a pass.
    pub(super) fn check(&self, stream: &StreamName, text: &str) -> Option<Pass> {
        let (head, shown) = split(text)?;
        let (expires, id) = head.split_once('-')?;
        let right = bool::from(self.sign(stream, head).as_bytes().ct_eq(shown.as_bytes()));
        let left = expires.parse::<u64>().ok()?.checked_sub(now()).filter(|left| *left > 0)?;
        right.then(|| Pass { id: id.to_owned(), left })
    }

    fn sign(&self, stream: &StreamName, head: &str) -> String {
        URL_SAFE_NO_PAD.encode(Md5::digest(format!("{key} {head} {stream} {key}", key = self.key)))
    }
}

/// Splits a text of the form of a pass into expiry and id, and the signature.
fn split(text: &str) -> Option<(&str, &str)> {
    let at = text.len().checked_sub(SIGNATURE + 1)?;
    let (head, shown) = (text.get(..at)?, text.get(at..)?.strip_prefix('-')?);
    let (expires, id) = head.split_once('-')?;
    let is_number = !expires.is_empty() && expires.len() <= 11 && expires.bytes().all(|b| b.is_ascii_digit());
    let is_id = !id.is_empty() && id.len() <= 32 && id.bytes().all(|b| b.is_ascii_hexdigit());
    let is_signature = shown.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b));
    (is_number && is_id && is_signature).then_some((head, shown))
}

/// Returns the pass of a path, and the path without it; `None` if it has none.
pub(super) fn of_path(path: &str) -> Option<(&str, &str)> {
    let rest = path.strip_prefix(FOLDER)?;
    let (pass, _) = rest.split_once('/')?;
    split(pass)?;
    Some((pass, &rest[pass.len()..]))
}

/// Returns the relative address that leads from `path` to `rest` with this pass. Gateways may be behind a proxy with a
/// folder of its own, so the address does not begin at the root.
pub(super) fn link(path: &str, rest: &str, pass: &str) -> String {
    let up = "../".repeat(path.matches('/').count().saturating_sub(1));
    format!("{up}{}{pass}{rest}", &FOLDER[1..])
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

/// The guard that admits viewers by their passes: on this gateway after a silence, and on others at their first request.
pub(super) struct PassGuard(pub(super) Passes);

impl fmt::Debug for PassGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PassGuard")
    }
}

impl Guard for PassGuard {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        let mut query = form_urlencoded::parse(ask.credentials.query.as_bytes());
        let shown = query.find(|(name, _)| name == PARAMETER).map(|(_, pass)| pass);
        let answer = match shown {
            Some(pass) if ask.act == Act::Play && ask.client.protocol == PROTOCOL => {
                let found = self.0.check(ask.stream, &pass);
                found.map(|_| Some(Identity::SignedUrl)).ok_or(Refusal::Credentials(Denied::Session))
            }
            _ => Ok(None),
        };
        ready(answer).boxed()
    }

    fn restricts_play(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_is_for_one_stream_and_a_time() {
        let passes = Passes::new("0123456789abcdef", 100);
        let name = |name: &str| StreamName::parse(name).unwrap();
        let pass = passes.issue(&name("live/x"), "00ff");
        let found = passes.check(&name("live/x"), &pass).unwrap();
        assert!(found.id == "00ff" && (99..=100).contains(&found.left), "{found:?}");
        assert_eq!(passes.check(&name("live/y"), &pass), None);
        assert_eq!(Passes::new("another key of 16", 100).check(&name("live/x"), &pass), None);
        assert_eq!(passes.check(&name("live/x"), &pass.replacen("-00ff-", "-00fe-", 1)), None);
        let later = pass.replacen('1', "2", 1);
        assert_eq!(passes.check(&name("live/x"), &later), None);
        assert_eq!(Passes::new("0123456789abcdef", 0).issue(&name("live/x"), "1").len(), pass.len() - 3);
        let old = Passes::new("0123456789abcdef", 0).issue(&name("live/x"), "1");
        assert_eq!(passes.check(&name("live/x"), &old), None);
    }

    /// `printf '%s' "$KEY 1800000000-00ff live/x $KEY" | openssl md5 -binary | base64 | tr +/ -_ | tr -d =`
    #[test]
    fn nginx_and_openssl_make_the_same_signature() {
        let passes = Passes::new("0123456789abcdef", 100);
        let name = StreamName::parse("live/x").unwrap();
        assert_eq!(passes.sign(&name, "1800000000-00ff"), "D_oEBDxI90LS9cd4AmmxCA");
    }

    #[test]
    fn paths_with_passes_are_told_from_streams_of_an_application_k() {
        let pass = Passes::new("0123456789abcdef", 100).issue(&StreamName::parse("live/x").unwrap(), "00ff");
        let path = format!("/k/{pass}/live/x.m3u8");
        assert_eq!(of_path(&path), Some((&*pass, "/live/x.m3u8")));
        for other in ["/k/x.m3u8", "/k/live/x.m3u8", "/live/x.m3u8", "/k/1-2-3/x.m3u8", "/k/"] {
            assert_eq!(of_path(other), None, "{other}");
        }
        assert_eq!(link("/live/x.m3u8", "/live/x.m3u8", "P"), "../k/P/live/x.m3u8");
        assert_eq!(link("/k/O/live/x.m3u8", "/live/x.m3u8", "P"), "../../../k/P/live/x.m3u8");
    }
}
