//! The few lines of a session description that we read ourselves: ICE credentials, as a fragment has
//! them (RFC 8840 9), and whether what it says of payload types can be true.

use std::collections::HashMap;

/// ICE credentials (RFC 8839 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Credentials {
    /// The user name fragment.
    pub(super) fragment: String,
    pub(super) password: String,
}

const FRAGMENT: &str = "a=ice-ufrag:";
const PASSWORD: &str = "a=ice-pwd:";

/// What a body of `application/trickle-ice-sdpfrag` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragment {
    pub(super) credentials: Option<Credentials>,
    /// Whether there are candidates in it, or the word that there are no more.
    pub(super) candidates: bool,
}

impl Fragment {
    /// Reads it. None when it is no such fragment.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let known = ["a=", "m=", "c=", "b=", "v=", "o=", "s=", "t="];
        let mut lines = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).peekable();
        lines.peek()?;
        if text
            .lines()
            .any(|line| !line.trim().is_empty() && !known.iter().any(|start| line.starts_with(start)))
        {
            return None;
        }
        let value = |key: &str| text.lines().find_map(|line| line.trim_end().strip_prefix(key));
        let credentials = match (value(FRAGMENT), value(PASSWORD)) {
            (Some(fragment), Some(password)) => {
                let whole = is_ice(fragment, 4..=256) && is_ice(password, 22..=256);
                whole.then(|| Credentials { fragment: fragment.to_owned(), password: password.to_owned() })
            }
            (None, None) => None,
            _ => return None,
        };
        let candidates = text
            .lines()
            .any(|line| line.starts_with("a=candidate:") || line.starts_with("a=end-of-candidates"));
        (credentials.is_some() || candidates).then_some(Self { credentials, candidates })
    }
}

/// `ice-char`s, so many of them.
fn is_ice(text: &str, length: std::ops::RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// What an ICE restart changes of a description: the credentials, and the candidates, which belong to them
/// (RFC 9725 4.3.3).
pub(super) fn fragment(description: &str) -> Option<String> {
    let credentials = credentials(description)?;
    let mut out = format!("a=ice-lite\r\n{FRAGMENT}{}\r\n", credentials.fragment);
    out += &format!("{PASSWORD}{}\r\n", credentials.password);
    // All is bundled: what the first section has is everybody's.
    let section = description.lines().map(str::trim_end).skip_while(|line| !line.starts_with("m="));
    for (at, line) in section.enumerate() {
        if at > 0 && line.starts_with("m=") {
            break;
        }
        if ["m=", "a=mid:", "a=candidate:"].iter().any(|start| line.starts_with(start)) {
            out += &format!("{line}\r\n");
        }
    }
    Some(out + "a=end-of-candidates\r\n")
}

/// The ICE credentials that a description tells first.
pub(super) fn credentials(description: &str) -> Option<Credentials> {
    let value = |key: &str| description.lines().find_map(|line| line.trim_end().strip_prefix(key));
    Some(Credentials { fragment: value(FRAGMENT)?.to_owned(), password: value(PASSWORD)?.to_owned() })
}

/// The names of a description's media sections.
pub(super) fn mids(description: &str) -> impl Iterator<Item = &str> {
    description.lines().filter_map(|line| line.trim_end().strip_prefix("a=mid:"))
}

/// Whether every payload type means one thing: all sections are bundled, and a packet tells no more
/// (RFC 8843 10.1.2). str0m asserts that they do.
pub(super) fn is_consistent(description: &str) -> bool {
    type Meaning<'a> = [Option<&'a str>; 2];
    let mut all: HashMap<&str, Meaning<'_>> = HashMap::new();
    description.split("\nm=").all(|section| {
        let mut here: HashMap<&str, Meaning<'_>> = HashMap::new();
        let once = section.lines().all(|line| {
            let line = line.trim_end();
            let told = ["a=rtpmap:", "a=fmtp:"].iter().enumerate();
            let Some((at, told)) = told.filter_map(|(at, key)| Some((at, line.strip_prefix(key)?))).next()
            else {
                return true;
            };
            let (payload_type, meaning) = told.split_once(' ').unwrap_or((told, ""));
            here.entry(payload_type).or_default()[at].replace(meaning).is_none()
        });
        once && here
            .into_iter()
            .all(|(payload_type, meaning)| *all.entry(payload_type).or_insert(meaning) == meaning)
    })
}

/// The same description with these credentials in each place.
pub(super) fn with_credentials(description: &str, credentials: &Credentials) -> String {
    let mut out = String::with_capacity(description.len());
    for line in description.lines() {
        match line {
            line if line.starts_with(FRAGMENT) => out += &format!("{FRAGMENT}{}", credentials.fragment),
            line if line.starts_with(PASSWORD) => out += &format!("{PASSWORD}{}", credentials.password),
            line => out += line.trim_end(),
        }
        out += "\r\n";
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fragments_and_what_is_none() {
        let restart = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\nm=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
            a=candidate:1 1 UDP 1 198.51.100.1 61764 typ host\r\na=end-of-candidates\r\n";
        let read = Fragment::parse(restart).unwrap();
        assert!(read.candidates && read.credentials.as_ref().is_some_and(|c| c.fragment == "EsAw"));
        let answer = format!("v=0\r\n{restart}m=video 9 RTP/AVP 1\r\na=mid:1\r\n");
        assert_eq!(fragment(&answer).unwrap(), format!("a=ice-lite\r\n{restart}"));
        assert_eq!(fragment("v=0\r\n"), None);
        for bad in ["", "\r\n", "hello", "a=mid:0\r\n", "a=ice-ufrag:EsAw\r\n", "{\"a\":1}"] {
            assert_eq!(Fragment::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_payload_type_means_one_thing() {
        let audio = "v=0\r\nm=audio 9 X 111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 minptime=10\r\n";
        let video =
            "m=video 9 X 96 97\r\na=rtpmap:96 VP8/90000\r\na=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\n";
        assert!(is_consistent(&[audio, video, video].concat()));
        for (from, to) in [("97 rtx", "96 rtx"), ("rtpmap:96", "rtpmap:111"), ("fmtp:97", "fmtp:111")] {
            assert!(!is_consistent(&[audio, &video.replace(from, to)].concat()));
        }
        assert!(!is_consistent(&[audio, video, &video.replace("apt=96", "apt=98")].concat()));
    }

    #[test]
    fn credentials_are_changed_everywhere() {
        let new = Credentials { fragment: "abcd".to_owned(), password: "x".repeat(24) };
        let text =
            with_credentials("v=0\r\na=ice-ufrag:old1\r\nm=a\r\na=ice-ufrag:old1\r\na=ice-pwd:p\r\n", &new);
        assert_eq!(text.matches("abcd").count(), 2);
        assert_eq!(credentials(&text), Some(new));
    }
}
