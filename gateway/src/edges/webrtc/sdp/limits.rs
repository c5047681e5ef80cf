//! Limits the content of session descriptions.
//!
//! A browser's offer with audio and video has about 250 lines. The limits are several times what any known client
//! sends. Together they bound the memory and the time that one offer can cost.

use super::error::SdpError;
use super::text::{Description, Lines};

/// Lines of a description.
pub(super) const MAX_LINES: usize = 4096;
/// Bytes of one line.
pub(super) const MAX_LINE: usize = 4096;
/// Media sections (`m=` lines).
pub(super) const MAX_SECTIONS: usize = 16;
/// Lines of one section, and of the part before the first section.
pub(super) const MAX_ATTRIBUTES: usize = 1024;
/// Payload types of one section: RTP has only this many.
pub(super) const MAX_FORMATS: usize = 128;
/// Different SSRCs in one section. Simulcast with three layers and retransmissions has six.
pub(super) const MAX_SSRCS: usize = 16;
/// `a=ssrc-group` lines in one section.
pub(super) const MAX_SSRC_GROUPS: usize = 16;
/// ICE candidates of all sections together. A machine with a dozen interfaces has about 40 in each section.
pub(super) const MAX_CANDIDATES: usize = 256;
/// `a=rid` lines in one section, and layers in its `a=simulcast`.
pub(super) const MAX_RIDS: usize = 8;
/// `a=simulcast` lines in one section (RFC 8853 5.1).
pub(super) const MAX_SIMULCAST: usize = 1;
/// Header extensions in one section.
pub(super) const MAX_EXTENSIONS: usize = 64;
/// Certificate fingerprints in one section, or before the first section.
pub(super) const MAX_FINGERPRINTS: usize = 8;
/// `a=group` lines.
pub(super) const MAX_GROUPS: usize = 8;
/// Bytes of a section's `mid`: a header extension has room for as many (RFC 8285 4.3).
pub(super) const MAX_MID: usize = 255;
/// Bytes of an ICE user name fragment or a password (RFC 8839 5.4).
pub(super) const MAX_CREDENTIAL: usize = 256;

/// Checks that a description keeps the limits.
pub(super) fn check(description: &Description<'_>) -> Result<(), SdpError> {
    let parts = || {
        let sections = description.sections.iter().map(|section| &section.lines);
        std::iter::once(&description.session).chain(sections)
    };
    at_most("a=group lines", MAX_GROUPS, description.session.values("group").count())?;
    at_most("candidates", MAX_CANDIDATES, parts().map(|part| part.values("candidate").count()).sum())?;
    for section in &description.sections {
        at_most("payload types in a section", MAX_FORMATS, section.formats.len())?;
    }
    parts().try_for_each(part)
}

fn part(lines: &Lines<'_>) -> Result<(), SdpError> {
    at_most("lines in a section", MAX_ATTRIBUTES, lines.len())?;
    at_most("SSRCs in a section", MAX_SSRCS, ssrcs(lines).len())?;
    let each = [
        ("a=ssrc-group lines in a section", MAX_SSRC_GROUPS, "ssrc-group"),
        ("a=rid lines in a section", MAX_RIDS, "rid"),
        ("a=simulcast lines in a section", MAX_SIMULCAST, "simulcast"),
        ("header extensions in a section", MAX_EXTENSIONS, "extmap"),
        ("fingerprints in a section", MAX_FINGERPRINTS, "fingerprint"),
    ];
    each.into_iter().try_for_each(|(what, limit, key)| at_most(what, limit, lines.values(key).count()))?;
    let layers = lines.values("simulcast").map(|value| value.split([';', ',']).count()).sum();
    // There is no semicolon between the layers of the two directions, so the sum is one less.
    at_most("simulcast layers in a section", 2 * MAX_RIDS - 1, layers)
}

/// The different SSRCs in `a=ssrc` lines: all, or one more than [`MAX_SSRCS`].
pub(super) fn ssrcs<'a>(lines: &Lines<'a>) -> Vec<&'a str> {
    let mut found: Vec<&str> = Vec::new();
    for value in lines.values("ssrc") {
        let ssrc = value.split(' ').next().unwrap_or_default();
        if !found.contains(&ssrc) {
            found.push(ssrc);
        }
        if found.len() > MAX_SSRCS {
            break;
        }
    }
    found
}

fn at_most(what: &'static str, limit: usize, count: usize) -> Result<(), SdpError> {
    if count > limit { Err(SdpError::TooMany(what, limit)) } else { Ok(()) }
}
