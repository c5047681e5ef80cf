//! Replies of the server.

use bytes::Bytes;
use media::flv::amf0::Value;

use super::command::Command;
use super::{Activity, MAX_COMMAND, MAX_PLAYER, Session, Stage, WINDOW};
use crate::rtmp::message::{STREAM, control, kind, object};

/// `FourCcInfoMask`: this server forwards the codec (Enhanced RTMP v2).
const CAN_FORWARD: f64 = 4.0;
const VIDEO_CODECS: [&str; 5] = ["avc1", "hvc1", "av01", "vp08", "vp09"];
const AUDIO_CODECS: [&str; 3] = ["mp4a", "Opus", ".mp3"];

impl Session {
    /// Accepts a `publish` request. Its media follow as events.
    pub fn accept_publish(&mut self) {
        let max_message = self.max_message;
        if let Some(open) = self.open() {
            open.activity = Activity::Publishing;
            open.chunks.set_max_message(max_message);
        }
        self.control(control::STREAM_BEGIN, STREAM);
        self.status("status", "NetStream.Publish.Start", "publishing");
    }

    /// Accepts a `play` request. The owner sends the stream's messages afterwards.
    ///
    /// Other servers also send `|RtmpSampleAccess`, which only Flash used: ffmpeg shows it as a track.
    pub fn accept_play(&mut self) {
        if let Some(open) = self.open() {
            open.activity = Activity::Playing;
            open.chunks.set_max_message(MAX_PLAYER);
        }
        self.control(control::STREAM_BEGIN, STREAM);
        self.status("status", "NetStream.Play.Reset", "playing and resetting");
        self.status("status", "NetStream.Play.Start", "playing");
    }

    /// Refuses a `publish` or `play` request, or ends an accepted one: sends an `onStatus` of level `error`.
    /// `text` is for people. The client may send another request.
    pub fn refuse(&mut self, code: &str, words: &str) {
        if let Some(open) = self.open() {
            open.activity = Activity::Idle;
            open.chunks.set_max_message(MAX_COMMAND);
        }
        self.status("error", code, words);
    }

    /// Tells a player that the stream has ended.
    pub fn end_play(&mut self) {
        self.status("status", "NetStream.Play.UnpublishNotify", "the stream is over");
        self.control(control::STREAM_EOF, STREAM);
        self.status("status", "NetStream.Play.Stop", "the stream is over");
        if let Some(open) = self.open() {
            open.activity = Activity::Idle;
            open.chunks.set_max_message(MAX_COMMAND);
        }
    }

    pub(super) fn accept_connect(&mut self, command: &Command) {
        if let Stage::Open(open) = &mut self.stage {
            let (writer, out) = (&mut open.writer, &mut self.out);
            let size = WINDOW.to_be_bytes();
            writer.write(kind::WINDOW_SIZE, 0, 0, Bytes::copy_from_slice(&size), out);
            let dynamic = [&size[..], &[2]].concat();
            writer.write(kind::PEER_BANDWIDTH, 0, 0, dynamic.into(), out);
            writer.announce_chunk_size(out);
        }
        let enhanced = ["fourCcList", "videoFourCcInfoMap", "audioFourCcInfoMap", "capsEx"]
            .iter()
            .any(|name| command.property(name).is_some());
        let mut properties = vec![
            ("fmsVer", Value::from(concat!("FMS/3,5,3,888 Lianmai/", env!("CARGO_PKG_VERSION")))),
            ("capabilities", Value::Number(127.0)),
            ("mode", Value::Number(1.0)),
        ];
        if enhanced {
            properties.extend(enhancements());
        }
        let encoding = command.property("objectEncoding").and_then(Value::as_number).unwrap_or(0.0);
        let mut information = vec![
            ("level", Value::from("status")),
            ("code", Value::from("NetConnection.Connect.Success")),
            ("description", Value::from("connected")),
            ("objectEncoding", Value::Number(encoding)),
        ];
        if enhanced {
            information.extend(enhancements());
        }
        self.result(command, &[object(&properties), object(&information)]);
    }

    /// Replies to a command, if it expects a reply.
    pub(super) fn result(&mut self, command: &Command, values: &[Value]) {
        if command.transaction == 0.0 {
            return;
        }
        let head = [Value::from("_result"), Value::Number(command.transaction)];
        self.values(kind::COMMAND, 0, &[&head[..], values].concat());
    }

    /// Sends `onStatus` on the message stream.
    pub(super) fn status(&mut self, level: &str, code: &str, words: &str) {
        let information =
            object(&[("level", level.into()), ("code", code.into()), ("description", words.into())]);
        self.values(
            kind::COMMAND,
            STREAM,
            &["onStatus".into(), Value::Number(0.0), Value::Null, information],
        );
    }

    /// Sends the message that Flash Media Live Encoder expects in addition to `_result`.
    pub(super) fn fc_status(&mut self, name: &str, code: &str, words: &str) {
        let information =
            object(&[("level", "status".into()), ("code", code.into()), ("description", words.into())]);
        self.values(kind::COMMAND, 0, &[name.into(), Value::Number(0.0), Value::Null, information]);
    }

    pub(super) fn control(&mut self, event: u16, value: u32) {
        if let Stage::Open(open) = &mut self.stage {
            open.writer.user_control(event, value, &mut self.out);
        }
    }

    fn values(&mut self, kind: u8, stream: u32, values: &[Value]) {
        if let Stage::Open(open) = &mut self.stage {
            open.writer.values(kind, stream, values, &mut self.out);
        }
    }
}

/// Returns the capabilities for Enhanced RTMP. Clients read them from one of the two objects of the reply.
fn enhancements() -> [(&'static str, Value); 4] {
    let map = |codecs: &[&str]| {
        object(&codecs.iter().map(|codec| (*codec, Value::Number(CAN_FORWARD))).collect::<Vec<_>>())
    };
    let all = VIDEO_CODECS.iter().chain(&AUDIO_CODECS).map(|codec| Value::from(*codec)).collect();
    [
        ("fourCcList", Value::StrictArray(all)),
        ("videoFourCcInfoMap", map(&VIDEO_CODECS)),
        ("audioFourCcInfoMap", map(&AUDIO_CODECS)),
        ("capsEx", Value::Number(0.0)),
    ]
}
