//! Splits a session description into lines and media sections.

use super::error::SdpError;
use super::limits::{self, MAX_LINE, MAX_LINES, MAX_SECTIONS};

/// The kinds of media that the gateway supports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::edges::webrtc) enum Kind {
    Audio,
    Video,
}

/// A session description, or a fragment of one (RFC 8840).
#[derive(Debug, Default)]
pub(super) struct Description<'a> {
    /// The lines before the first media section.
    pub(super) session: Lines<'a>,
    pub(super) sections: Vec<Section<'a>>,
}

/// A media section: an `m=` line and the lines after it.
#[derive(Debug)]
pub(super) struct Section<'a> {
    /// `audio`, `video`, `application`, …
    pub(super) media: &'a str,
    pub(super) port: &'a str,
    pub(super) protocol: &'a str,
    pub(super) formats: Vec<&'a str>,
    pub(super) lines: Lines<'a>,
}

/// Lines without their line ends.
#[derive(Debug, Default)]
pub(super) struct Lines<'a>(Vec<&'a str>);

impl<'a> Lines<'a> {
    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &'a str> {
        self.0.iter().copied()
    }

    /// The values of all `a=key:value` lines.
    pub(super) fn values(&self, key: &str) -> impl Iterator<Item = &'a str> {
        self.iter().filter_map(move |line| {
            let value = line.strip_prefix("a=")?.strip_prefix(key)?.strip_prefix(':')?;
            Some(value.trim())
        })
    }

    /// The value of the first `a=key:value` line.
    pub(super) fn value(&self, key: &str) -> Option<&'a str> {
        self.values(key).next()
    }

    /// Whether there is a line `a=flag`.
    pub(super) fn has(&self, flag: &str) -> bool {
        self.iter().any(|line| line.strip_prefix("a=") == Some(flag))
    }
}

impl<'a> Section<'a> {
    fn parse(value: &'a str) -> Result<Self, SdpError> {
        let mut parts = value.split(' ').filter(|part| !part.is_empty());
        let mut next = || parts.next().ok_or(SdpError::MediaLine);
        let (media, port, protocol, first) = (next()?, next()?, next()?, next()?);
        let formats = std::iter::once(first).chain(parts).collect();
        Ok(Self { media, port, protocol, formats, lines: Lines::default() })
    }

    pub(super) fn kind(&self) -> Option<Kind> {
        match self.media {
            "audio" => Some(Kind::Audio),
            "video" => Some(Kind::Video),
            _ => None,
        }
    }

    pub(super) fn mid(&self) -> Option<&'a str> {
        self.lines.value("mid")
    }
}

impl<'a> Description<'a> {
    /// Parses a whole description, within the [`limits`].
    pub(super) fn parse(text: &'a str) -> Result<Self, SdpError> {
        let found = Self::split(text)?;
        if found.session.iter().next() != Some("v=0") {
            return Err(SdpError::Version);
        }
        if found.sections.is_empty() {
            return Err(SdpError::NoSection);
        }
        Ok(found)
    }

    /// Splits a description or a fragment, within the [`limits`]. Empty lines are ignored.
    pub(super) fn split(text: &'a str) -> Result<Self, SdpError> {
        let mut found = Self::default();
        for (at, line) in text.lines().enumerate() {
            if at >= MAX_LINES {
                return Err(SdpError::TooMany("lines", MAX_LINES));
            }
            let line = line.trim_end();
            if line.is_empty() {
                continue;
            }
            if line.len() > MAX_LINE {
                return Err(SdpError::TooLong("a line", MAX_LINE));
            }
            let named = matches!(line.as_bytes(), [b'a'..=b'z', b'=', ..]);
            if !named || line.chars().any(|c| c.is_control() && c != '\t') {
                return Err(SdpError::Line(at + 1));
            }
            if let Some(value) = line.strip_prefix("m=") {
                if found.sections.len() >= MAX_SECTIONS {
                    return Err(SdpError::TooMany("sections", MAX_SECTIONS));
                }
                found.sections.push(Section::parse(value)?);
                continue;
            }
            match found.sections.last_mut() {
                Some(section) => section.lines.0.push(line),
                None => found.session.0.push(line),
            }
        }
        limits::check(&found)?;
        Ok(found)
    }
}
