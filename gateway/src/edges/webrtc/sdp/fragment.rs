//! Reads and writes SDP fragments (RFC 8840): trickled candidates and ICE restarts.

use std::ops::RangeInclusive;

use super::error::SdpError;
use super::text::{Description, Lines};

/// ICE credentials (RFC 8839 5.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::webrtc) struct Credentials {
    /// The user name fragment.
    pub(in crate::edges::webrtc) fragment: String,
    pub(in crate::edges::webrtc) password: String,
}

/// The content of a body of type `application/trickle-ice-sdpfrag`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::edges::webrtc) struct Fragment {
    pub(in crate::edges::webrtc) credentials: Option<Credentials>,
    /// Whether it has candidates, or says that there are no more.
    pub(in crate::edges::webrtc) candidates: bool,
}

impl Fragment {
    /// Parses a fragment, within the same limits as an offer.
    ///
    /// # Errors
    /// When the text is no such fragment, or exceeds a limit.
    pub(in crate::edges::webrtc) fn parse(text: &str) -> Result<Self, SdpError> {
        let found = Description::split(text)?;
        let parts = || std::iter::once(&found.session).chain(found.sections.iter().map(|s| &s.lines));
        let known =
            |line: &str| ["a=", "c=", "b=", "v=", "o=", "s=", "t="].iter().any(|k| line.starts_with(k));
        if !parts().flat_map(Lines::iter).all(known) {
            return Err(SdpError::Fragment);
        }
        let value = |key| parts().find_map(|part| part.value(key));
        let credentials = match (value("ice-ufrag"), value("ice-pwd")) {
            (Some(fragment), Some(password)) if is_ice(fragment, 4..=256) && is_ice(password, 22..=256) => {
                Some(Credentials { fragment: fragment.to_owned(), password: password.to_owned() })
            }
            (None, None) => None,
            _ => return Err(SdpError::Fragment),
        };
        let candidates =
            parts().any(|part| part.value("candidate").is_some() || part.has("end-of-candidates"));
        if credentials.is_none() && !candidates {
            return Err(SdpError::Fragment);
        }
        Ok(Self { credentials, candidates })
    }
}

/// Whether the text consists of as many `ice-char`s (RFC 8839 5.4) as `length` allows.
fn is_ice(text: &str, length: RangeInclusive<usize>) -> bool {
    length.contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'+' || b == b'/')
}

/// The part of an answer that an ICE restart changes: the credentials and the candidates (RFC 9725 4.3.3).
pub(in crate::edges::webrtc) fn fragment(answer: &str) -> Option<String> {
    let answer = Description::parse(answer).ok()?;
    // All sections are bundled, so the ICE lines of the section with the candidates are valid for all.
    let open = || answer.sections.iter().filter(|section| section.port != "0");
    let section =
        open().find(|section| section.lines.value("candidate").is_some()).or_else(|| open().next())?;
    let (fragment, password) = (section.lines.value("ice-ufrag")?, section.lines.value("ice-pwd")?);
    let mut out = format!("a=ice-lite\r\na=ice-ufrag:{fragment}\r\na=ice-pwd:{password}\r\n");
    let formats = section.formats.join(" ");
    out += &format!("m={} {} {} {formats}\r\n", section.media, section.port, section.protocol);
    for key in ["mid", "candidate"] {
        section.lines.values(key).for_each(|value| out += &format!("a={key}:{value}\r\n"));
    }
    Some(out + "a=end-of-candidates\r\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::edges::webrtc::sdp::limits::{MAX_CANDIDATES, MAX_LINE};

    const RESTART: &str = "a=ice-ufrag:EsAw\r\na=ice-pwd:P2uYro0UCOQ4zxjKXaWCBui1\r\n\
        m=audio 9 RTP/AVP 0\r\na=mid:0\r\n\
        a=candidate:1 1 UDP 1 198.51.100.1 61764 typ host\r\na=end-of-candidates\r\n";

    #[test]
    fn fragments_and_what_is_none() {
        let read = Fragment::parse(RESTART).unwrap();
        assert!(read.candidates && read.credentials.as_ref().is_some_and(|c| c.fragment == "EsAw"));
        for bad in [
            "",
            "\r\n",
            "hello",
            "a=mid:0\r\n",
            "a=ice-ufrag:EsAw\r\n",
            "{\"a\":1}",
            "k=clear:x\r\na=candidate:1",
        ] {
            assert!(Fragment::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_fragment_has_the_bounds_of_an_offer() {
        let many =
            |count| RESTART.to_owned() + &"a=candidate:1 1 UDP 1 198.51.100.1 1 typ host\r\n".repeat(count);
        assert!(Fragment::parse(&many(MAX_CANDIDATES - 1)).is_ok());
        assert_eq!(
            Fragment::parse(&many(MAX_CANDIDATES)),
            Err(SdpError::TooMany("candidates", MAX_CANDIDATES))
        );
        let long = format!("{RESTART}a=x:{}\r\n", "y".repeat(MAX_LINE));
        assert_eq!(Fragment::parse(&long), Err(SdpError::TooLong("a line", MAX_LINE)));
    }

    #[test]
    fn a_restart_tells_the_section_that_has_the_candidates() {
        let (ice, rest) = RESTART.split_once("m=").unwrap();
        let refused = "m=audio 0 RTP/AVP 0\r\na=mid:x\r\n";
        let (media, candidates) = rest.split_once("a=mid").unwrap();
        let answer = format!("v=0\r\n{refused}m={media}{ice}a=mid{candidates}");
        assert_eq!(fragment(&answer).unwrap(), format!("a=ice-lite\r\n{RESTART}"));
        assert_eq!(fragment("v=0\r\n"), None);
        assert_eq!(fragment(&format!("v=0\r\n{refused}")), None);
    }
}
