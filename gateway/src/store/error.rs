//! Errors of the store.

use std::error::Error;
use std::fmt;

use crate::core::text::clean;

/// Maximum number of characters of the store's words that are kept.
const MAX_WORDS: usize = 300;

/// The kind of an error: what a client does about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StoreErrorKind {
    /// The store cannot be reached, is too slow, or has a fault of its own. The same request may work later.
    Away,
    /// The store refuses the request: the keys, the bucket or the right to do so are missing.
    Refused,
    /// There is no such object.
    Missing,
    /// The object is not the expected version: somebody else has written it.
    Changed,
}

/// Why a request to the store failed. The text has no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreError {
    /// The kind.
    pub kind: StoreErrorKind,
    words: String,
}

impl StoreError {
    pub(super) fn new(kind: StoreErrorKind, words: &str) -> Self {
        Self { kind, words: clean(words).chars().take(MAX_WORDS).collect() }
    }

    /// The error of a request that has no answer in time.
    pub fn too_late(limit: std::time::Duration) -> Self {
        Self::new(StoreErrorKind::Away, &format!("the store did not answer within {} s", limit.as_secs()))
    }

    /// The error of an object that others write all the time.
    pub fn changes_too_often() -> Self {
        Self::new(StoreErrorKind::Away, "another gateway writes the same object")
    }

    /// Returns the error of a request that writes: there, only the bucket can be missing.
    #[must_use]
    pub(super) fn of_write(self) -> Self {
        let kind = if self.kind == StoreErrorKind::Missing { StoreErrorKind::Refused } else { self.kind };
        Self { kind, ..self }
    }

    /// Returns whether the same request will probably fail again.
    pub fn is_refused(&self) -> bool {
        self.kind == StoreErrorKind::Refused
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl Error for StoreError {}

impl From<object_store::Error> for StoreError {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as Cause;
        // The library's text names the whole address and repeats itself: the innermost text is the reason.
        let text = error.to_string();
        let status = status(&text);
        let kind = match &error {
            Cause::NotFound { .. } => StoreErrorKind::Missing,
            Cause::Precondition { .. } | Cause::AlreadyExists { .. } => StoreErrorKind::Changed,
            Cause::PermissionDenied { .. }
            | Cause::Unauthenticated { .. }
            | Cause::InvalidPath { .. }
            | Cause::NotSupported { .. }
            | Cause::NotImplemented { .. } => StoreErrorKind::Refused,
            _ if status
                .is_some_and(|status| (400..500).contains(&status) && status != 408 && status != 429) =>
            {
                StoreErrorKind::Refused
            }
            _ => StoreErrorKind::Away,
        };
        let words = match (status, element(&text, "Code"), element(&text, "Message")) {
            (_, Some(code), Some(message)) => format!("the store answered {code}: {message}"),
            (_, Some(code), None) => format!("the store answered {code}"),
            (Some(status), ..) => format!("the store answered with status {status}"),
            _ => format!("the store cannot be used: {}", innermost(&error)),
        };
        Self::new(kind, &words)
    }
}

/// Returns the HTTP status that the library's text names.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// Returns the content of an element of the store's XML.
fn element<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = text.split_once(&format!("<{name}>"))?;
    let (content, _) = rest.split_once(&format!("</{name}>"))?;
    Some(content).filter(|content| !content.is_empty())
}

fn innermost(error: &dyn Error) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    error.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> StoreError {
        object_store::Error::Generic { store: "S3", source: text.to_owned().into() }.into()
    }

    #[test]
    fn errors_say_the_reason_and_whether_to_try_again() {
        let text = "Server returned non-2xx status code: 400 Bad Request: <Error><Code>InvalidRegion</Code>\
                    <Message>The region is wrong</Message><AWSAccessKeyId>AKIA1</AWSAccessKeyId></Error>";
        let error = of(text);
        assert_eq!(error.to_string(), "the store answered InvalidRegion: The region is wrong");
        assert!(error.is_refused());
        for (text, kind) in [
            ("status code: 503 Slow Down: ", StoreErrorKind::Away),
            ("status code: 429 Too Many Requests: ", StoreErrorKind::Away),
            ("status code: 405 Method Not Allowed: ", StoreErrorKind::Refused),
            ("connection refused", StoreErrorKind::Away),
        ] {
            assert_eq!(of(text).kind, kind, "{text}");
        }
        let source = "<Code>NoSuchBucket</Code>".into();
        let missing = StoreError::from(object_store::Error::NotFound { path: "x".to_owned(), source });
        assert_eq!(missing.kind, StoreErrorKind::Missing);
        assert_eq!(missing.of_write().to_string(), "the store answered NoSuchBucket");
        assert!(of(&"x".repeat(10_000)).to_string().chars().count() <= MAX_WORDS);
    }
}
