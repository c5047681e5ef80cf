//! How much a session description may contain.
//!
//! A browser's offer with audio and video has some 250 lines; the bounds are several times what any known
//! client sends. Their product bounds the memory and the time that a stranger's offer costs.

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
/// Payload types of one section: RTP has no more.
pub(super) const MAX_FORMATS: usize = 128;
/// Different SSRCs in one section. A simulcast of three layers with resends has six.
pub(super) const MAX_SSRCS: usize = 16;
/// `a=ssrc-group` lines in one section.
pub(super) const MAX_SSRC_GROUPS: usize = 16;
/// ICE candidates in all. A machine with a dozen interfaces names some 40 in each section.
pub(super) const MAX_CANDIDATES: usize = 256;
/// `a=rid` lines in one section, and layers in its `a=simulcast`.
pub(super) const MAX_RIDS: usize = 8;
/// `a=simulcast` lines in one section (RFC 8853 5.1).
pub(super) const MAX_SIMULCAST: usize = 1;
/// Header extensions in one section.
pub(super) const MAX_EXTENSIONS: usize = 64;
/// Certificate fingerprints in one section, or before the first.
pub(super) const MAX_FINGERPRINTS: usize = 8;
/// `a=group` lines.
pub(super) const MAX_GROUPS: usize = 8;
/// Bytes of a section's name: a header extension carries no more (RFC 8285 4.3).
pub(super) const MAX_MID: usize = 255;
/// Bytes of an ICE user name fragment, and of a password (RFC 8839 5.4).
pub(super) const MAX_CREDENTIAL: usize = 256;

/// Counts what is in a description.
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
    // One more: between the layers of both directions is no semicolon.
    at_most("simulcast layers in a section", 2 * MAX_RIDS - 1, layers)
}

/// The different SSRCs that `a=ssrc` lines name; stops soon after [`MAX_SSRCS`].
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
