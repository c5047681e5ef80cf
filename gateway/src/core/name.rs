//! Stream names.

use std::fmt;
use std::sync::Arc;

/// Maximum length in bytes of a text that [`StreamName::parse`] looks at.
const MAX_ADDRESS: usize = 4096;
/// Maximum length of a segment in bytes.
const MAX_SEGMENT: usize = 128;
/// Maximum length of a name in bytes.
const MAX_NAME: usize = 512;

/// A stream's name: `app/stream`, as in `rtmp://host/app/stream`. Cloning is cheap.
///
/// The application may have several levels (`a/b`); the last segment is the stream. Segments are 1 to 128
/// bytes of UTF-8 without control characters, white space, a leading dot, and the characters ``/ \ ? # % < > " ' ` ``.
/// The whole name has at most 512 bytes.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamName(Arc<str>);

/// Why a name is not valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameError {
    /// The application or the stream is empty.
    Empty,
    /// A segment or the whole name is too long.
    TooLong,
    /// The name contains this character, which is not allowed, or a segment starts with a dot.
    Character(char),
}

impl fmt::Display for NameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str(
                "the address needs the name of an application and a stream, such as live/livestream",
            ),
            Self::TooLong => write!(
                f,
                "the stream's name is too long: {MAX_SEGMENT} bytes between slashes are possible, and {MAX_NAME} in all"
            ),
            Self::Character('.') => f.write_str("no part of the stream's name may start with a dot"),
            Self::Character(c) => {
                write!(f, "the stream's name has the character {c:?}, which is not allowed")
            }
        }
    }
}

impl std::error::Error for NameError {}

impl StreamName {
    /// Creates the name of `stream` in the application `app`. Slashes at the ends of both are removed.
    ///
    /// # Errors
    /// A segment is empty, too long, or has a character that is not allowed.
    pub fn new(app: &str, stream: &str) -> Result<Self, NameError> {
        Self::parse(&format!("{}/{}", app.trim_matches('/'), stream.trim_matches('/')))
    }

    /// Parses `app/stream`. Slashes at both ends are removed, and several slashes in a row count as one: such
    /// names come from clients whose server address ends in a slash.
    ///
    /// # Errors
    /// The same as [`StreamName::new`].
    pub fn parse(name: &str) -> Result<Self, NameError> {
        if name.len() > MAX_ADDRESS {
            return Err(NameError::TooLong);
        }
        let segments: Vec<&str> = name.split('/').filter(|segment| !segment.is_empty()).collect();
        if segments.len() < 2 {
            return Err(NameError::Empty);
        }
        for segment in &segments {
            if segment.len() > MAX_SEGMENT {
                return Err(NameError::TooLong);
            }
            let bad = |c: char| c.is_control() || c.is_whitespace() || "\\?#%<>\"'`".contains(c);
            let first_bad =
                if segment.starts_with('.') { Some('.') } else { segment.chars().find(|c| bad(*c)) };
            if let Some(c) = first_bad {
                return Err(NameError::Character(c));
            }
        }
        let name = segments.join("/");
        if name.len() > MAX_NAME {
            return Err(NameError::TooLong);
        }
        Ok(Self(name.into()))
    }

    /// Returns the application: everything before the last slash.
    pub fn app(&self) -> &str {
        self.0.rsplit_once('/').map_or("", |(app, _)| app)
    }

    /// Returns the stream: the part after the last slash.
    pub fn stream(&self) -> &str {
        self.0.rsplit_once('/').map_or(&*self.0, |(_, stream)| stream)
    }

    /// Returns `app/stream`.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for StreamName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
