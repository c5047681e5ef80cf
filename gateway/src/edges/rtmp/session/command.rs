//! Handles the commands of a client.

use media::flv::amf0::{self, Value};

use super::{Activity, Connect, Event, MAX_COMMAND, Request, Session, SessionError};
use crate::edges::rtmp::address::Address;
use crate::rtmp::client::SENT_BY;
use crate::rtmp::message::STREAM;

/// Maximum number of characters of a text that are kept.
const MAX_TEXT: usize = 4096;

/// The FourCC of Opus.
const OPUS: &str = "Opus";
/// The wildcard in a client's list of codecs.
const ANY: &str = "*";
/// Bits of `FourCcInfoMask`: the client decodes the codec, or forwards it (Enhanced RTMP v2).
const CAN_DECODE_OR_FORWARD: u32 = 1 | 4;

/// Returns whether a `connect` command declares support for this audio codec: in `audioFourCcInfoMap` (Enhanced RTMP
/// v2), or otherwise in `fourCcList`.
fn supports(connect: &Command, codec: &str) -> bool {
    if let Some(map @ (Value::Object(_) | Value::EcmaArray(_))) = connect.property("audioFourCcInfoMap") {
        let mask = map.get(codec).or_else(|| map.get(ANY)).and_then(Value::as_number).unwrap_or(0.0);
        return mask as u32 & CAN_DECODE_OR_FORWARD != 0;
    }
    match connect.property("fourCcList") {
        Some(Value::StrictArray(list)) => {
            list.iter().filter_map(Value::as_str).any(|item| item == codec || item == ANY)
        }
        _ => false,
    }
}

/// A command. Missing values are read as null.
pub(super) struct Command {
    pub(super) name: String,
    pub(super) transaction: f64,
    /// The command object and the arguments.
    pub(super) values: Vec<Value>,
}

impl Command {
    fn read(payload: &[u8]) -> Option<Self> {
        let mut values = amf0::read_all(payload).ok()?.into_iter();
        let name = values.next()?.as_str()?.to_owned();
        let transaction = values.next().and_then(|value| value.as_number()).unwrap_or(0.0);
        Some(Self { name, transaction, values: values.collect() })
    }

    /// Returns a property of the command object.
    pub(super) fn property(&self, name: &str) -> Option<&Value> {
        self.values.first()?.get(name)
    }

    fn text(&self, name: &str) -> String {
        let text = self.property(name).and_then(Value::as_str).unwrap_or_default();
        // The text is kept as long as the connection, and no real address is longer.
        text.chars().take(MAX_TEXT).collect()
    }

    /// Returns an argument, counted from after the command object.
    fn argument(&self, at: usize) -> Option<&Value> {
        self.values.get(at + 1)
    }

    fn text_argument(&self, at: usize) -> &str {
        self.argument(at).and_then(Value::as_str).unwrap_or_default()
    }
}

impl Session {
    pub(super) fn command(&mut self, payload: &[u8]) -> Result<Option<Event>, SessionError> {
        let Some(command) = Command::read(payload) else { return Ok(None) };
        let Some(open) = self.open() else { return Ok(None) };
        if command.name == "connect" {
            return self.connect(&command);
        }
        if open.connect.is_none() {
            return Err(SessionError::Protocol("a command was sent before connect"));
        }
        match command.name.as_str() {
            "createStream" => self.result(&command, &[Value::Null, Value::Number(STREAM.into())]),
            "publish" => return Ok(self.ask(command.text_argument(0), Event::Publish)),
            "play" => return Ok(self.ask(command.text_argument(0), Event::Play)),
            "play2" => {
                let name = command.argument(0).and_then(|options| options.get("streamName")?.as_str());
                let playing = self.activity() == Activity::Playing;
                return Ok(name.filter(|_| !playing).and_then(|name| self.ask(name, Event::Play)));
            }
            "FCPublish" => {
                self.result(&command, &[Value::Null, Value::Undefined]);
                self.fc_status("onFCPublish", "NetStream.Publish.Start", command.text_argument(0));
            }
            "FCUnpublish" => {
                self.result(&command, &[Value::Null, Value::Undefined]);
                self.fc_status("onFCUnpublish", "NetStream.Unpublish.Success", command.text_argument(0));
                return Ok(self.stop(&[Activity::Publishing]));
            }
            "FCSubscribe" => {
                self.fc_status("onFCSubscribe", "NetStream.Play.Start", command.text_argument(0));
            }
            "closeStream" | "deleteStream" => {
                return Ok(self.stop(&[Activity::Publishing, Activity::Playing, Activity::Asking]));
            }
            "pause" | "pauseRaw" if self.activity() == Activity::Playing => {
                let on = command.argument(0).and_then(Value::as_bool).unwrap_or(true);
                let code = if on { "NetStream.Pause.Notify" } else { "NetStream.Unpause.Notify" };
                self.status("status", code, if on { "paused" } else { "Playing live: pause ended" });
                return Ok(Some(Event::Pause(on)));
            }
            "seek" => self.status("status", "NetStream.Seek.Notify", "Live streams cannot seek"),
            "getStreamLength" => self.result(&command, &[Value::Null, Value::Number(0.0)]),
            // Track selection, which no client uses, and replies and notices.
            "receiveAudio" | "receiveVideo" | "_result" | "_error" | "onStatus" => {}
            // releaseStream, _checkbw and other commands for which an encoder may expect a reply.
            _ => self.result(&command, &[Value::Null, Value::Undefined]),
        }
        Ok(None)
    }

    fn connect(&mut self, command: &Command) -> Result<Option<Event>, SessionError> {
        let connect = Connect {
            tc_url: command.text("tcUrl"),
            app: command.text("app"),
            agent: command.text("flashVer"),
            page: command.text("pageUrl"),
            supports_opus: supports(command, OPUS),
            sent_by: command.text(SENT_BY),
        };
        let Some(open) = self.open() else { return Ok(None) };
        if open.connect.replace(connect).is_some() {
            return Err(SessionError::Protocol("connect was sent twice on one connection"));
        }
        self.accept_connect(command);
        Ok(None)
    }

    fn activity(&mut self) -> Activity {
        self.open().map_or(Activity::Idle, |open| open.activity)
    }

    fn ask(&mut self, key: &str, event: fn(Request) -> Event) -> Option<Event> {
        let open = self.open()?;
        if open.activity != Activity::Idle {
            self.status(
                "error",
                "NetStream.Failed",
                "the connection already has a stream: use another connection",
            );
            return None;
        }
        open.activity = Activity::Asking;
        let connect = open.connect.as_ref()?;
        let address = Address::new(&connect.tc_url, &connect.app, key);
        let (agent, page) = (connect.agent.clone(), connect.page.clone());
        let (supports_opus, sent_by) = (connect.supports_opus, connect.sent_by.clone());
        Some(event(Request { address, agent, page, supports_opus, sent_by }))
    }

    fn stop(&mut self, only: &[Activity]) -> Option<Event> {
        let open = self.open()?;
        if !only.contains(&open.activity) {
            return None;
        }
        open.activity = Activity::Idle;
        open.chunks.set_max_message(MAX_COMMAND);
        Some(Event::Stop)
    }
}
