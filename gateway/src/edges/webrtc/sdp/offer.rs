//! Reads a client's offer.

use super::bundle;
use super::error::SdpError;
use super::formats::{self, Format};
use super::fragment::Credentials;
use super::limits::MAX_CREDENTIAL;
use super::normal;
use super::text::{Description, Kind, Lines, Section};
use crate::core::client::Act;

/// A client's offer. Of the client's text, it keeps only what the answer repeats.
#[derive(Debug)]
pub(in crate::edges::webrtc) struct ClientOffer {
    /// All sections, in the client's order.
    pub(super) sections: Vec<ClientSection>,
    /// The indexes of the sections in use, in the order of their BUNDLE group. All use the transport of the first.
    pub(super) order: Vec<usize>,
    /// Whether the client offers a BUNDLE group.
    pub(super) bundled: bool,
    /// Whether one-byte and two-byte header extensions may be mixed (RFC 8285 6).
    pub(super) mixed: bool,
    credentials: Credentials,
    /// The client's certificate, and its DTLS role.
    pub(super) fingerprints: Vec<String>,
    pub(super) setup: Option<&'static str>,
    /// The kinds for which the client has a section that the gateway could use if it had a codec in common.
    wanted: Vec<Kind>,
}

/// A section as the client has it.
#[derive(Debug)]
pub(super) struct ClientSection {
    pub(super) media: String,
    pub(super) protocol: String,
    /// The first of its formats: a refused section must have one.
    pub(super) format: String,
    pub(super) mid: Option<String>,
    /// None when it is refused.
    pub(super) used: Option<NegotiatedSection>,
}

/// A media section that the gateway uses, as str0m gets it.
#[derive(Debug)]
pub(super) struct NegotiatedSection {
    /// Its `mid` for str0m.
    pub(super) mid: String,
    /// The direction from the client's view.
    pub(super) direction: &'static str,
    pub(super) formats: Vec<Format>,
    /// Header extensions: numbers and URIs.
    pub(super) extensions: Vec<(u8, String)>,
    /// A publisher's descriptions of its packets.
    pub(super) sources: Vec<String>,
    /// A publisher's names of its simulcast layers.
    pub(super) layers: Vec<String>,
}

impl ClientOffer {
    /// Reads an offer.
    ///
    /// # Errors
    /// When it is no session description, has more than [`super::limits`] allow, or lacks what every session needs.
    pub(in crate::edges::webrtc) fn read(text: &str, act: Act) -> Result<Self, SdpError> {
        let offer = Description::parse(text)?;
        if offer.session.has("ice-lite") {
            return Err(SdpError::Lite);
        }
        let mids = bundle::mids(&offer.sections)?;
        let groups = bundle::groups(&offer, &mids);
        let mut used: Vec<(usize, Vec<Format>)> = Vec::new();
        let mut wanted = Vec::new();
        for kind in [Kind::Audio, Kind::Video] {
            for (at, section) in offer.sections.iter().enumerate() {
                let grouped = groups.iter().any(|group| group.contains(&at));
                if section.kind() != Some(kind) || !is_open(section, grouped, act, &offer.session) {
                    continue;
                }
                wanted.push(kind);
                let formats = formats::usable(section, kind, act)?;
                if !formats.is_empty() {
                    used.push((at, formats));
                    break;
                }
            }
        }
        used.sort_by_key(|(at, _)| *at);
        if let [(_, one), (_, other)] = &used[..] {
            formats::agree(one, other)?;
        }
        let (bundled, order) = bundle::order(&groups, &used.iter().map(|(at, _)| *at).collect::<Vec<_>>())?;
        // The transport of the first section in use; if it leaves something out, what another one has.
        let first = order.iter().copied();
        let rest = (0..offer.sections.len()).filter(|at| !order[..order.len().min(1)].contains(at));
        let own = |at: usize| offer.sections.get(at).map(|section| &section.lines);
        let parts: Vec<&Lines<'_>> =
            first.take(1).filter_map(own).chain([&offer.session]).chain(rest.filter_map(own)).collect();
        let credentials = parts.iter().find_map(|part| credentials(part)).ok_or(SdpError::NoCredentials)?;
        let fingerprints = parts.iter().map(|part| fingerprints(part)).find(|found| !found.is_empty());
        let setup = parts.iter().find_map(|part| part.value("setup")).and_then(setup);
        let mixed = parts.iter().any(|part| part.has("extmap-allow-mixed"));
        let names = normal::mids(&used.iter().map(|(at, _)| mids[*at].as_deref()).collect::<Vec<_>>());
        let mut used: Vec<(usize, NegotiatedSection)> = used
            .into_iter()
            .zip(names)
            .map(|((at, formats), mid)| {
                (at, NegotiatedSection::of(&offer.sections[at], mids[at].as_deref(), mid, formats, act))
            })
            .collect();
        let sections =
            offer.sections.iter().zip(mids).enumerate().map(|(at, (section, mid))| ClientSection {
                media: section.media.to_owned(),
                protocol: section.protocol.to_owned(),
                format: section.formats.first().copied().unwrap_or("0").to_owned(),
                mid,
                used: used.iter().position(|(of, _)| *of == at).map(|place| used.swap_remove(place).1),
            });
        Ok(Self {
            sections: sections.collect(),
            order,
            bundled,
            mixed,
            credentials,
            fingerprints: fingerprints.ok_or(SdpError::NoFingerprint)?,
            setup,
            wanted,
        })
    }

    /// The client's ICE credentials.
    pub(in crate::edges::webrtc) const fn credentials(&self) -> &Credentials {
        &self.credentials
    }

    /// Replaces the client's ICE credentials, for an ICE restart (RFC 8445 9).
    pub(in crate::edges::webrtc) fn restart_ice(&mut self, credentials: Credentials) {
        self.credentials = credentials;
    }

    /// Whether there is any section that the gateway can use.
    pub(in crate::edges::webrtc) const fn is_usable(&self) -> bool {
        !self.order.is_empty()
    }

    /// Whether the client wants this kind of media, but supports none of the gateway's codecs for it.
    pub(in crate::edges::webrtc) fn lacks_codec(&self, kind: Kind) -> bool {
        self.wanted.contains(&kind) && !self.used().any(|told| told.media == word(kind))
    }

    /// Whether a publisher sends its video in several sizes (simulcast).
    pub(in crate::edges::webrtc) fn offers_simulcast(&self) -> bool {
        self.used().filter_map(|told| told.used.as_ref()).any(|used| !used.layers.is_empty())
    }

    fn used(&self) -> impl Iterator<Item = &ClientSection> {
        self.sections.iter().filter(|told| told.used.is_some())
    }

    /// About how many bytes of the client's text are kept.
    pub(in crate::edges::webrtc) fn size(&self) -> usize {
        self.to_str0m().len() * 2
    }
}

const fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Audio => "audio",
        Kind::Video => "video",
    }
}

/// Whether a section is there for what the client wants to do: it is not refused, its packets are RTP, and
/// media may go in that direction.
fn is_open(section: &Section<'_>, grouped: bool, act: Act, session: &Lines<'_>) -> bool {
    // In a BUNDLE group port 0 stands for "the port of the first one" (RFC 8843 6).
    let alive = section.port.split('/').next() != Some("0") || grouped || section.lines.has("bundle-only");
    // RFC 9429 5.1.2: all of them mean the same here.
    let protocol = section.protocol.rsplit('/').next().unwrap_or_default();
    let rtp = section.protocol.contains("RTP/") && ["AVP", "AVPF", "SAVP", "SAVPF"].contains(&protocol);
    let direction = direction(&section.lines).or_else(|| direction(session)).unwrap_or("sendrecv");
    let wanted = match act {
        Act::Publish => "sendonly",
        Act::Play => "recvonly",
    };
    alive && rtp && (direction == wanted || direction == "sendrecv")
}

/// The direction of a section (RFC 8866 6.7). The default is `sendrecv`.
fn direction(lines: &Lines<'_>) -> Option<&'static str> {
    ["sendrecv", "sendonly", "recvonly", "inactive"].into_iter().find(|direction| lines.has(direction))
}

fn setup(value: &str) -> Option<&'static str> {
    ["actpass", "active", "passive"].into_iter().find(|known| *known == value)
}

fn credentials(lines: &Lines<'_>) -> Option<Credentials> {
    let told = |key| lines.value(key).filter(|value| is_visible(value, MAX_CREDENTIAL)).map(str::to_owned);
    Some(Credentials { fragment: told("ice-ufrag")?, password: told("ice-pwd")? })
}

/// Whether the text is visible ASCII. RFC 8839 5.4 allows fewer characters, but some clients use others.
fn is_visible(text: &str, most: usize) -> bool {
    (1..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
}

/// The well-formed fingerprints: `sha-256 AB:CD:…` (RFC 8122 5).
fn fingerprints(lines: &Lines<'_>) -> Vec<String> {
    let is_hex = |byte: &str| byte.len() == 2 && byte.bytes().all(|b| b.is_ascii_hexdigit());
    let whole = |value: &&str| {
        let parts = value.split_once(' ').map(|(hash, bytes)| (hash, bytes.trim()));
        parts.is_some_and(|(hash, bytes)| is_visible(hash, 16) && bytes.split(':').all(is_hex))
    };
    lines.values("fingerprint").filter(whole).map(str::to_owned).collect()
}

impl NegotiatedSection {
    fn of(section: &Section<'_>, told: Option<&str>, mid: String, formats: Vec<Format>, act: Act) -> Self {
        let publishes = act == Act::Publish;
        let layers = if publishes { normal::layers(&section.lines) } else { Vec::new() };
        // str0m writes its own name of the section into what it sends, and knows that of what it receives.
        let named = told.is_some_and(|told| told == mid || publishes && normal::known(told) == mid);
        let extensions = normal::extensions(&section.lines, named, !layers.is_empty());
        let sources =
            if publishes && layers.is_empty() { normal::sources(&section.lines) } else { Vec::new() };
        let direction = if publishes { "sendonly" } else { "recvonly" };
        Self { mid, direction, formats, extensions, sources, layers }
    }
}
