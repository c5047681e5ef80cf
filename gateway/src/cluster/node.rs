//! The gateways of a cluster, by name.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// Maximum length of a name in bytes.
const MAX_NAME: usize = 64;

/// The name of a node. Cloning is cheap.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct NodeName(Arc<str>);

/// A text is not the name of a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadNodeName;

impl fmt::Display for BadNodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the name of a node has 1 to {MAX_NAME} letters of ASCII, digits, dots and hyphens")
    }
}

impl std::error::Error for BadNodeName {}

impl NodeName {
    /// Parses a name.
    ///
    /// # Errors
    /// The text is empty or too long, or has other characters.
    pub fn parse(text: &str) -> Result<Self, BadNodeName> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b".-_".contains(&byte);
        if text.is_empty() || text.len() > MAX_NAME || !text.bytes().all(fits) {
            return Err(BadNodeName);
        }
        Ok(Self(text.into()))
    }

    /// Returns a name for a node whose operator has chosen none: the host's name, and a random part, because several
    /// nodes may run on one host.
    pub fn made() -> Self {
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let host: String = host.chars().filter(char::is_ascii_alphanumeric).take(40).collect();
        Self(format!("{host}-{:06x}", rand::random::<u32>() >> 8).into())
    }

    /// Returns the name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the name as shared text.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }
}

impl TryFrom<String> for NodeName {
    type Error = BadNodeName;

    fn try_from(text: String) -> Result<Self, BadNodeName> {
        Self::parse(&text)
    }
}

impl From<NodeName> for String {
    fn from(name: NodeName) -> Self {
        name.0.to_string()
    }
}

impl fmt::Display for NodeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_short_and_plain() {
        assert_eq!(NodeName::parse("edge-1.example").unwrap().as_str(), "edge-1.example");
        for bad in ["", "a b", "连", "a/b", &"x".repeat(MAX_NAME + 1)] {
            assert_eq!(NodeName::parse(bad), Err(BadNodeName), "{bad}");
        }
        assert_ne!(NodeName::made(), NodeName::made());
        assert!(NodeName::parse(NodeName::made().as_str()).is_ok());
    }
}
