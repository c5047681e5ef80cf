//! Where the store's content is: `s3://BUCKET/PREFIX`.

/// Maximum length of a bucket's name (Amazon S3 allows 63), and of a prefix, in bytes. Keys have 1024 bytes at most,
/// and the names of streams and files need 600 of them.
const MAX_BUCKET: usize = 63;
const MAX_PREFIX: usize = 300;

/// A bucket and a prefix of keys in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) bucket: String,
    /// Empty, or without slashes at its ends.
    prefix: String,
}

impl Place {
    /// Parses an address.
    ///
    /// # Errors
    /// The address is not valid; the text says why.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let invalid = |why: &str| format!("store_url {text:?} is not valid: {why}");
        let rest = text.strip_prefix("s3://").ok_or_else(|| invalid("it must be s3://BUCKET/PREFIX"))?;
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b".-_".contains(&b);
        if bucket.is_empty() || bucket.len() > MAX_BUCKET || !bucket.bytes().all(is_name) {
            return Err(invalid("a bucket's name has 1 to 63 letters, digits, dots and hyphens"));
        }
        let prefix = prefix.trim_matches('/');
        let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
        if prefix.len() > MAX_PREFIX
            || prefix.chars().any(|c| c.is_control() || "?#".contains(c))
            || !(prefix.is_empty() || prefix.split('/').all(is_part))
        {
            return Err(invalid("the prefix has empty parts, or characters that keys must not have"));
        }
        Ok(Self { bucket: bucket.to_owned(), prefix: prefix.to_owned() })
    }

    /// Returns the whole key of an object.
    pub(super) fn key(&self, name: &str) -> String {
        if self.prefix.is_empty() { name.to_owned() } else { format!("{}/{name}", self.prefix) }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "s3://{}", self.bucket)?;
        if self.prefix.is_empty() { Ok(()) } else { write!(f, "/{}", self.prefix) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_and_prefixes_are_parsed() {
        let place = Place::parse("s3://my-bucket/live/eu/").unwrap();
        assert_eq!((&*place.bucket, &*place.key("a/b.ts")), ("my-bucket", "live/eu/a/b.ts"));
        assert_eq!(place.to_string(), "s3://my-bucket/live/eu");
        let place = Place::parse("s3://b").unwrap();
        assert_eq!((&*place.key("a"), &*place.to_string()), ("a", "s3://b"));
        for bad in [
            "",
            "my-bucket",
            "https://host/bucket",
            "s3://",
            "s3:///x",
            "s3://a b",
            "s3://b/../x",
            "s3://b/a//b",
            "s3://b/a?x=1",
            &format!("s3://{}", "b".repeat(64)),
        ] {
            assert!(Place::parse(bad).is_err(), "{bad}");
        }
    }
}
