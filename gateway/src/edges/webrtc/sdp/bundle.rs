//! Finds the media sections that share one transport (BUNDLE, RFC 8843).

use super::error::SdpError;
use super::limits::MAX_MID;
use super::text::{Description, Section};

/// The `mid` of each section.
///
/// # Errors
/// When one is invalid or used twice.
pub(super) fn mids(sections: &[Section<'_>]) -> Result<Vec<Option<String>>, SdpError> {
    let mut found: Vec<Option<String>> = Vec::with_capacity(sections.len());
    for section in sections {
        let mut all = section.lines.values("mid");
        let mid = all.next();
        if all.next().is_some() || mid.is_some_and(|mid| !is_token(mid)) {
            return Err(SdpError::Mid);
        }
        if mid.is_some_and(|mid| mid.len() > MAX_MID) {
            return Err(SdpError::TooLong("a=mid", MAX_MID));
        }
        let mid = mid.map(str::to_owned);
        if mid.is_some() && found.contains(&mid) {
            return Err(SdpError::SameMid);
        }
        found.push(mid);
    }
    Ok(found)
}

/// Whether this is a token (RFC 8866 9).
fn is_token(text: &str) -> bool {
    let other = |byte: u8| b"!#$%&'*+-.^_`{|}~".contains(&byte);
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || other(byte))
}

/// The BUNDLE groups: for each, the indexes of its sections in the order of the group.
pub(super) fn groups(description: &Description<'_>, mids: &[Option<String>]) -> Vec<Vec<usize>> {
    let groups = description.session.values("group").filter_map(|value| value.strip_prefix("BUNDLE"));
    let section = |mid: &str| mids.iter().position(|known| known.as_deref() == Some(mid));
    groups
        .map(|group| {
            let mut found: Vec<usize> = Vec::new();
            for at in group.split_ascii_whitespace().filter_map(section) {
                if !found.contains(&at) {
                    found.push(at);
                }
            }
            found
        })
        .collect()
}

/// Orders these sections as in the group that contains all of them, and tells whether there is such a group. All of
/// them use the transport of the first one. Without a group, there may be only one section.
///
/// # Errors
/// When several sections are in no common group.
pub(super) fn order(groups: &[Vec<usize>], sections: &[usize]) -> Result<(bool, Vec<usize>), SdpError> {
    let whole = groups.iter().find(|group| sections.iter().all(|at| group.contains(at)));
    match whole {
        Some(group) => Ok((true, group.iter().copied().filter(|at| sections.contains(at)).collect())),
        None if sections.len() <= 1 => Ok((false, sections.to_vec())),
        None => Err(SdpError::NoBundle),
    }
}
