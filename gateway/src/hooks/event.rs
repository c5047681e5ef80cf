//! The JSON of hooks: SRS's fields and names, and some more.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use bytes::Bytes;
use serde::Serialize;

use super::action::Action;
use crate::context::Ids;
use crate::core::client::Act;
use crate::core::hub::{HlsSegment, Hub};
use crate::core::name::StreamName;
use crate::core::session::{ClientSession, SessionEnd};

/// SRS's name for the only host of a server.
const VHOST: &str = "__defaultVhost__";

/// A hook to send.
#[derive(Debug)]
pub(super) struct Event {
    /// Unique; the same for all addresses and tries.
    pub(super) id: String,
    pub(super) action: Action,
    /// Events of a stream are sent in order.
    pub(super) stream: StreamName,
    /// The JSON. It may contain secrets.
    pub(super) body: Bytes,
}

/// A complete recording.
#[derive(Debug, Clone)]
pub struct Recording {
    /// The working folder of the gateway.
    pub cwd: PathBuf,
    /// The file, relative to that folder or absolute.
    pub file: PathBuf,
}

/// Makes events.
#[derive(Debug)]
pub(super) struct EventMaker {
    pub(super) hub: Hub,
    pub(super) ids: Arc<Ids>,
}

/// The fields of all hooks.
#[derive(Debug, Serialize)]
struct Body<'a> {
    server_id: &'a str,
    service_id: &'a str,
    action: &'static str,
    client_id: String,
    ip: String,
    vhost: &'static str,
    app: &'a str,
    #[serde(rename = "tcUrl")]
    tc_url: &'a str,
    stream: &'a str,
    param: String,
    #[serde(rename = "pageUrl")]
    page_url: &'a str,
    stream_url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    protocol: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    agent: Option<&'a str>,
    #[serde(flatten)]
    more: More,
}

/// The fields of some hooks.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum More {
    None {},
    End {
        send_bytes: u64,
        recv_bytes: u64,
        /// In seconds.
        duration: f64,
        reason: String,
    },
    Dvr {
        cwd: String,
        file: String,
    },
    Hls {
        /// In seconds.
        duration: f64,
        cwd: String,
        file: String,
        url: String,
        m3u8: String,
        m3u8_url: String,
        seq_no: u64,
    },
}

impl EventMaker {
    /// Makes an event about a client that wants to come in.
    pub(super) fn asked(&self, action: Action, session: &ClientSession) -> Arc<Event> {
        self.about(action, session, None, More::None {})
    }

    /// Makes the events about the end of a session. A client that never connected has no `end`.
    pub(super) fn ended(&self, session: &ClientSession, end: Option<&SessionEnd<'_>>) -> [Arc<Event>; 2] {
        let last = match session.act {
            Act::Publish => Action::Unpublish,
            Act::Play => Action::Stop,
        };
        let more = || match end {
            Some(end) => More::End {
                send_bytes: end.counts.sent,
                recv_bytes: end.counts.received,
                duration: rounded(
                    SystemTime::now().duration_since(end.since).unwrap_or_default().as_secs_f64(),
                ),
                reason: end.reason.to_string(),
            },
            None => More::End {
                send_bytes: 0,
                recv_bytes: 0,
                duration: 0.0,
                reason: "the client was admitted but did not connect".to_owned(),
            },
        };
        let stream_id = end.map(|end| end.stream_id.to_owned());
        [last, Action::Close].map(|action| self.about(action, session, stream_id.clone(), more()))
    }

    /// Makes the event about a complete recording.
    pub(super) fn recorded(&self, stream: &StreamName, recording: &Recording) -> Arc<Event> {
        let (cwd, file) = (recording.cwd.display().to_string(), recording.file.display().to_string());
        self.without_client(Action::Dvr, stream, More::Dvr { cwd, file })
    }

    /// Makes the event with which an operator tries an address out.
    pub(super) fn test(&self, stream: &StreamName) -> Arc<Event> {
        self.without_client(Action::Test, stream, More::None {})
    }

    /// Makes the event about a complete HLS segment. The gateway keeps segments in memory, so there are addresses
    /// below the gateway's instead of files.
    pub(super) fn segment(&self, stream: &StreamName, segment: &HlsSegment) -> Arc<Event> {
        let (url, m3u8) = (segment.path.clone(), format!("{stream}.m3u8"));
        let more = More::Hls {
            duration: rounded(segment.duration.as_secs_f64()),
            cwd: String::new(),
            file: url.clone(),
            url,
            m3u8: m3u8.clone(),
            m3u8_url: m3u8,
            seq_no: segment.sequence,
        };
        self.without_client(Action::Hls, stream, more)
    }

    fn about(
        &self,
        action: Action,
        session: &ClientSession,
        stream_id: Option<String>,
        more: More,
    ) -> Arc<Event> {
        let stream = &session.stream;
        let param = if session.query.is_empty() { String::new() } else { format!("?{}", session.query) };
        self.event(
            stream,
            Body {
                server_id: &self.ids.server,
                service_id: &self.ids.service,
                action: action.name(),
                client_id: session.id.to_string(),
                ip: session.from.to_string(),
                vhost: VHOST,
                app: stream.app(),
                tc_url: session.client.url.rsplit_once('/').map_or("", |(tc_url, _)| tc_url),
                stream: stream.stream(),
                param,
                page_url: &session.page,
                stream_url: format!("/{stream}"),
                stream_id: stream_id.or_else(|| self.stream_id(stream)),
                protocol: Some(session.client.protocol),
                agent: Some(&session.client.agent),
                more,
            },
            action,
        )
    }

    /// Makes an event about a stream. It carries the publisher's number, as in SRS.
    fn without_client(&self, action: Action, stream: &StreamName, more: More) -> Arc<Event> {
        self.event(
            stream,
            Body {
                server_id: &self.ids.server,
                service_id: &self.ids.service,
                action: action.name(),
                client_id: String::new(),
                ip: String::new(),
                vhost: VHOST,
                app: stream.app(),
                tc_url: &format!("rtmp://{VHOST}/{}", stream.app()),
                stream: stream.stream(),
                param: String::new(),
                page_url: "",
                stream_url: format!("/{stream}"),
                stream_id: self.stream_id(stream),
                protocol: None,
                agent: None,
                more,
            },
            action,
        )
    }

    fn stream_id(&self, stream: &StreamName) -> Option<String> {
        self.hub.stream(stream).map(|stream| stream.id().to_owned())
    }

    fn event(&self, stream: &StreamName, body: Body<'_>, action: Action) -> Arc<Event> {
        Arc::new(Event {
            id: format!("msg_{:032x}", rand::random::<u128>()),
            action,
            stream: stream.clone(),
            // Numbers and texts always have a JSON form.
            body: serde_json::to_vec(&body).unwrap_or_default().into(),
        })
    }
}

/// Returns seconds with milliseconds.
fn rounded(seconds: f64) -> f64 {
    (seconds * 1e3).round() / 1e3
}
