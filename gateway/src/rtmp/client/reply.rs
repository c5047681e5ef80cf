//! Handles the replies of a server.

use media::flv::amf0::{self, Value};

use super::{BUFFER_MS, CONNECT, CREATE_STREAM, ClientEvent, ClientSession, MAX_COMMAND, Purpose, Stage};

/// Maximum number of codecs of a server that are kept, and of characters of each.
const MAX_CODECS: usize = 32;
const MAX_CODEC: usize = 16;
/// Maximum number of characters of a server's reason.
const MAX_REASON: usize = 300;

/// A command of a server. Missing values are null.
struct Reply {
    name: String,
    transaction: f64,
    values: Vec<Value>,
}

impl Reply {
    fn read(payload: &[u8]) -> Option<Self> {
        let mut values = amf0::read_all(payload).ok()?.into_iter();
        let name = values.next()?.as_str()?.to_owned();
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        Some(Self { name, transaction, values: values.collect() })
    }

    /// Returns a property of the first object that has it. Servers put it into one or the other.
    fn property(&self, name: &str) -> Option<&Value> {
        self.values.iter().find_map(|value| value.get(name))
    }

    fn text(&self, name: &str) -> &str {
        self.property(name).and_then(Value::as_str).unwrap_or_default()
    }

    fn is_error(&self) -> bool {
        self.name == "_error" || self.text("level") == "error"
    }

    /// Returns the server's reason for people.
    fn reason(&self) -> String {
        let (code, description) = (self.text("code"), self.text("description"));
        let reason = match (code.is_empty(), description.is_empty()) {
            (false, false) => format!("{code}: {description}"),
            (true, true) => format!("the server refused with {}, without a reason", self.name),
            _ => format!("{code}{description}"),
        };
        reason.chars().take(MAX_REASON).collect()
    }

    /// Returns the video codecs of `fourCcList` or `videoFourCcInfoMap`.
    fn codecs(&self) -> Vec<String> {
        let list = match self.property("fourCcList") {
            Some(Value::StrictArray(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let map = self.property("videoFourCcInfoMap").and_then(Value::properties).unwrap_or_default();
        let names = list.into_iter().chain(map.iter().map(|(name, _)| name.as_str()));
        names.filter(|name| name.len() <= MAX_CODEC).take(MAX_CODECS).map(str::to_owned).collect()
    }
}

impl ClientSession {
    pub(super) fn command(&mut self, payload: &[u8]) -> Option<ClientEvent> {
        let reply = Reply::read(payload)?;
        match reply.name.as_str() {
            "_result" if reply.transaction == CONNECT => self.connected(&reply),
            "_result" if reply.transaction == CREATE_STREAM => self.created(&reply),
            // Servers may refuse the commands between, which only some of them know.
            "_error" if reply.transaction != CONNECT && reply.transaction != CREATE_STREAM => None,
            "_error" => Some(ClientEvent::Refused(reply.reason())),
            "onStatus" => self.status(&reply),
            "close" => Some(ClientEvent::Refused("the server closed the connection".to_owned())),
            _ => None,
        }
    }

    fn connected(&mut self, reply: &Reply) -> Option<ClientEvent> {
        if reply.is_error() {
            return Some(ClientEvent::Refused(reply.reason()));
        }
        let Stage::Open(open) = &mut self.stage else { return None };
        if std::mem::replace(&mut open.connected, true) {
            return None;
        }
        open.codecs = reply.codecs();
        if self.purpose == Purpose::Publish {
            let key = Value::from(self.address.key.as_str());
            for (name, transaction) in [("releaseStream", 2.0), ("FCPublish", 3.0)] {
                self.values(0, &[name.into(), Value::Number(transaction), Value::Null, key.clone()]);
            }
        }
        self.values(0, &["createStream".into(), Value::Number(CREATE_STREAM), Value::Null]);
        None
    }

    fn created(&mut self, reply: &Reply) -> Option<ClientEvent> {
        let id = reply.values.iter().find_map(Value::as_number).filter(|id| *id >= 0.0)? as u32;
        let Stage::Open(open) = &mut self.stage else { return None };
        if open.stream.replace(id).is_some() {
            return None;
        }
        let (key, null) = (Value::from(self.address.key.as_str()), Value::Null);
        match self.purpose {
            Purpose::Publish => {
                self.values(id, &["publish".into(), Value::Number(5.0), null, key, "live".into()]);
            }
            Purpose::Play(_) => {
                // -2: the live stream, or else a recorded one.
                self.values(id, &["play".into(), Value::Number(5.0), null, key, Value::Number(-2000.0)]);
                if let Stage::Open(open) = &mut self.stage {
                    open.writer.buffer_length(id, BUFFER_MS, &mut self.out);
                }
            }
        }
        None
    }

    fn status(&mut self, reply: &Reply) -> Option<ClientEvent> {
        let Stage::Open(open) = &mut self.stage else { return None };
        let code = reply.text("code");
        if reply.is_error() || code.ends_with(".Failed") || code.ends_with(".BadName") {
            return Some(ClientEvent::Refused(reply.reason()));
        }
        match code {
            "NetStream.Publish.Start" | "NetStream.Play.Start" if !open.accepted && open.stream.is_some() => {
                open.accepted = true;
                let max = if let Purpose::Play(max) = self.purpose { max } else { MAX_COMMAND };
                open.chunks.set_max_message(max);
                Some(ClientEvent::Accepted)
            }
            "NetStream.Play.StreamNotFound" => Some(ClientEvent::Refused(reply.reason())),
            "NetStream.Unpublish.Success" | "NetStream.Play.UnpublishNotify" | "NetStream.Play.Stop" => {
                Some(ClientEvent::Ended)
            }
            _ => None,
        }
    }
}
