//! Turns str0m's answer into the answer for the client.

use std::fmt::Write as _;

use super::error::SdpError;
use super::offer::{ClientOffer, ClientSection, NegotiatedSection};
use super::text::{Description, Section};
use crate::edges::webrtc::cname;

impl ClientOffer {
    /// Writes the answer for the client: one section for each section of the offer, in the same order and with the
    /// same `mid`. Sections that are not used are refused (RFC 3264 6). The first used section has the candidates.
    ///
    /// # Errors
    /// When `str0m_answer` does not fit the offer.
    pub(in crate::edges::webrtc) fn answer(&self, theirs: &str) -> Result<String, SdpError> {
        let theirs = Description::parse(theirs).map_err(|_| SdpError::Contradiction)?;
        let accepted = |at: &usize| self.sections.get(*at).and_then(|told| matching(told, &theirs)).is_some();
        let order: Vec<usize> = self.order.iter().copied().filter(accepted).collect();
        let candidates = theirs.sections.iter().flat_map(|section| section.lines.values("candidate"));
        let candidates: Vec<&str> = candidates.collect();
        let stream = theirs.sections.iter().find_map(stream).unwrap_or("-");

        let mut out = self.session(&theirs, &order, stream);
        for (at, told) in self.sections.iter().enumerate() {
            match matching(told, &theirs) {
                None => refused(&mut out, told),
                Some((used, section)) => {
                    let first = order.first() == Some(&at);
                    let candidates = if first { &candidates[..] } else { &[] };
                    accepted_section(&mut out, told, used, section, candidates, stream);
                }
            }
        }
        Ok(out)
    }

    fn session(&self, theirs: &Description<'_>, order: &[usize], stream: &str) -> String {
        let origin = theirs.session.iter().find_map(|line| line.strip_prefix("o="));
        let id = origin.and_then(|origin| origin.split(' ').nth(1)).unwrap_or("1");
        let mut out = format!("v=0\r\no=- {id} 2 IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n");
        if self.bundled {
            out += "a=group:BUNDLE";
            let mids = order.iter().filter_map(|at| self.sections.get(*at)?.mid.as_deref());
            mids.for_each(|mid| line(&mut out, format_args!(" {mid}")));
            out += "\r\n";
        }
        if self.mixed {
            out += "a=extmap-allow-mixed\r\n";
        }
        line(&mut out, format_args!("a=msid-semantic: WMS {stream}\r\na=ice-lite\r\n"));
        out
    }
}

/// Returns str0m's sections for a section of the offer, if there are any.
fn matching<'a>(
    told: &'a ClientSection,
    theirs: &'a Description<'_>,
) -> Option<(&'a NegotiatedSection, &'a Section<'a>)> {
    let used = told.used.as_ref()?;
    let section = theirs.sections.iter().find(|section| section.mid() == Some(&used.mid))?;
    (section.port != "0").then_some((used, section))
}

/// Writing to a string does not fail.
fn line(out: &mut String, what: std::fmt::Arguments<'_>) {
    let _ = out.write_fmt(what);
}

/// The stream that a section's media belong to.
fn stream<'a>(section: &Section<'a>) -> Option<&'a str> {
    section.lines.value("msid")?.split(' ').next()
}

fn refused(out: &mut String, told: &ClientSection) {
    line(out, format_args!("m={} 0 {} {}\r\nc=IN IP4 0.0.0.0\r\n", told.media, told.protocol, told.format));
    told.mid.iter().for_each(|mid| line(out, format_args!("a=mid:{mid}\r\n")));
    out.push_str("a=inactive\r\n");
}

fn accepted_section(
    out: &mut String,
    told: &ClientSection,
    used: &NegotiatedSection,
    section: &Section<'_>,
    candidates: &[&str],
    stream: &str,
) {
    let formats = section.formats.join(" ");
    line(out, format_args!("m={} 9 {} {formats}\r\nc=IN IP4 0.0.0.0\r\n", told.media, told.protocol));
    candidates.iter().for_each(|value| line(out, format_args!("a=candidate:{value}\r\n")));
    told.mid.iter().for_each(|mid| line(out, format_args!("a=mid:{mid}\r\n")));
    let sends = section.lines.has("sendonly") || section.lines.has("sendrecv");
    for text in section.lines.iter().filter(|text| text.starts_with("a=")) {
        let (key, value) = text["a=".len()..].split_once(':').unwrap_or((&text["a=".len()..], ""));
        let (number, rest) = value.split_once(' ').unwrap_or((value, ""));
        let format = number.parse().ok().and_then(|n: u8| used.formats.iter().find(|f| f.number == n));
        match (key, format) {
            ("candidate" | "mid", _) => {}
            // The client's own lines, instead of str0m's.
            ("rtpmap", Some(format)) => {
                format.told.iter().for_each(|told| line(out, format_args!("{told}\r\n")))
            }
            ("fmtp", Some(_)) => {}
            ("rtcp-fb", Some(format)) if !format.feedback.contains(&rest) => {}
            // One stream for audio and video: players show the first one, and browsers synchronize its tracks.
            ("msid", _) if sends => line(out, format_args!("a=msid:{stream} {rest}\r\n")),
            ("ssrc", _) if sends && rest.starts_with("msid:") => {
                let track = rest.split(' ').nth(1).unwrap_or("-");
                line(out, format_args!("a=ssrc:{number} msid:{stream} {track}\r\n"));
            }
            ("ssrc", _) if sends && rest.starts_with("cname:") => {
                line(out, format_args!("a=ssrc:{number} cname:{}\r\n", cname::gateway_cname()));
            }
            ("msid" | "ssrc" | "ssrc-group", _) if !sends => {}
            _ => line(out, format_args!("{text}\r\n")),
        }
    }
}
