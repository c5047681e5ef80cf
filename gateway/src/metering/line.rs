//! One line of the log.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::core::client::Identity;
use crate::core::hub::Client;
use crate::core::session::{ClientSession, SessionEnd};

/// A session as it is written. Times are in milliseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// The run of the gateway: client numbers are unique within a run.
    pub(super) run: String,
    pub(super) id: String,
    pub(super) act: String,
    pub(super) stream: String,
    pub(super) protocol: String,
    pub(super) ip: String,
    pub(super) agent: String,
    /// The kind of identity: `token`, `key`, `secret`, `local`, `open` or `seat`.
    pub(super) identity: String,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) subject: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) issuer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) key: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) seat: Option<String>,
    pub(super) from_ms: u64,
    pub(super) to_ms: u64,
    pub(super) received_bytes: u64,
    pub(super) sent_bytes: u64,
    pub(super) skipped: u64,
    pub(super) bad_frames: u64,
    /// The label of the close reason; `killed` if the gateway ended without notice.
    pub(super) reason: String,
    pub(super) reason_text: String,
}

/// The reason of sessions that were running when the gateway ended without notice.
const KILLED: (&str, &str) = ("killed", "the gateway ended without notice");

impl Line {
    pub(super) fn new(run: &str, session: &ClientSession, end: &SessionEnd<'_>, to: SystemTime) -> Self {
        let (subject, issuer) = match &session.identity {
            Identity::Token { subject, issuer } => (Some(subject.clone()), Some(issuer.clone())),
            _ => (None, None),
        };
        let key = match &session.identity {
            Identity::Key { name, .. } => Some(name.to_string()),
            _ => None,
        };
        let seat = match &session.identity {
            Identity::Seat { room, id } => Some(format!("{room}/{id}")),
            _ => None,
        };
        Self {
            run: run.to_owned(),
            id: session.id.to_string(),
            act: session.act.word().to_owned(),
            stream: session.stream.to_string(),
            protocol: session.client.protocol.to_owned(),
            ip: session.from.to_string(),
            agent: session.client.agent.clone(),
            identity: session.identity.kind().to_owned(),
            subject,
            issuer,
            key,
            seat,
            from_ms: millis(end.since),
            to_ms: millis(to),
            received_bytes: end.counts.received,
            sent_bytes: end.counts.sent,
            skipped: end.counts.skipped,
            bad_frames: end.counts.bad_frames,
            reason: end.reason.label().to_owned(),
            reason_text: end.reason.to_string(),
        }
    }

    /// Describes a client that is still connected, as if it ended now without notice.
    pub(super) fn running(run: &str, client: &Arc<Client>, now: SystemTime) -> Self {
        let reason = crate::core::close::CloseReason::Left;
        let end = SessionEnd {
            stream_id: client.stream.id(),
            since: client.since,
            counts: client.counts(),
            reason: &reason,
        };
        let (label, text) = (KILLED.0.to_owned(), KILLED.1.to_owned());
        Self { reason: label, reason_text: text, ..Self::new(run, client.session(), &end, now) }
    }

    /// Identifies the session: an HLS viewer that waited for the next publisher has two lines with one number.
    pub(super) fn key(&self) -> (String, String, u64) {
        (self.run.clone(), self.id.clone(), self.from_ms)
    }

    /// Returns the JSON with a line end.
    pub(super) fn text(&self) -> Vec<u8> {
        // Texts and numbers always have a JSON form.
        let mut text = serde_json::to_vec(self).unwrap_or_default();
        text.push(b'\n');
        text
    }
}

pub(super) fn millis(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis() as u64
}
