//! The session against a server made of the same parts.

use media::flv::amf0::{self, Value};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};

use super::{ClientAddress, ClientEvent, ClientSession, Purpose};
use crate::rtmp::chunk::ChunkReader;
use crate::rtmp::message::{Message, Writer, kind, object};

struct Server {
    session: ClientSession,
    handshake: Option<Handshake>,
    chunks: ChunkReader,
    writer: Writer,
}

impl Server {
    fn new(purpose: Purpose) -> Self {
        let address = ClientAddress::new("rtmp://h", "/live/key?a=b").unwrap();
        let session = ClientSession::new(address, purpose, "this-gateway");
        let handshake = Some(Handshake::new(PeerType::Server));
        Self { session, handshake, chunks: ChunkReader::new(1 << 20), writer: Writer::new() }
    }

    /// Returns the messages of the client.
    fn heard(&mut self) -> Vec<Message> {
        let mut input = self.session.take_output();
        while let Some(handshake) = &mut self.handshake {
            let (response, rest) = match handshake.process_bytes(&input).unwrap() {
                HandshakeProcessResult::InProgress { response_bytes } => (response_bytes, None),
                HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                    (response_bytes, Some(remaining_bytes))
                }
            };
            assert_eq!(self.session.read(&mut &response[..]), Ok(None));
            input = self.session.take_output();
            if let Some(rest) = rest {
                input = [rest, input].concat();
                self.handshake = None;
            }
        }
        let (mut input, mut messages) = (&input[..], Vec::new());
        while let Some(message) = self.chunks.read(&mut input).unwrap() {
            messages.push(message);
        }
        messages
    }

    fn commands(&mut self) -> Vec<Vec<Value>> {
        let heard = self.heard();
        let commands = heard.iter().filter(|message| message.kind == kind::COMMAND);
        commands.map(|message| amf0::read_all(&message.payload).unwrap()).collect()
    }

    fn say(&mut self, values: &[Value]) -> Option<ClientEvent> {
        let mut out = Vec::new();
        self.writer.values(kind::COMMAND, 0, values, &mut out);
        self.session.read(&mut &out[..]).unwrap()
    }

    fn status(&mut self, level: &str, code: &str, text: &str) -> Option<ClientEvent> {
        let info = object(&[("level", level.into()), ("code", code.into()), ("description", text.into())]);
        self.say(&["onStatus".into(), Value::Number(0.0), Value::Null, info])
    }

    /// Accepts `connect` and `createStream`. Returns the names of the client's commands.
    fn accept(&mut self, stream: f64, codecs: &[&str]) -> Vec<String> {
        let mut heard = self.commands();
        let list = Value::StrictArray(codecs.iter().map(|codec| Value::from(*codec)).collect());
        let info = object(&[("code", "NetConnection.Connect.Success".into()), ("fourCcList", list)]);
        assert_eq!(self.say(&["_result".into(), Value::Number(1.0), Value::Null, info]), None);
        heard.extend(self.commands());
        let result = ["_result".into(), Value::Number(4.0), Value::Null, Value::Number(stream)];
        assert_eq!(self.say(&result), None);
        heard.extend(self.commands());
        heard.iter().map(|values| values[0].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn a_publisher_asks_in_the_usual_order_and_is_accepted() {
    let mut server = Server::new(Purpose::Publish);
    let asked = server.accept(5.0, &["hvc1"]);
    assert_eq!(asked, ["connect", "releaseStream", "FCPublish", "createStream", "publish"]);
    assert_eq!(server.session.stream(), None);
    let accepted = server.status("status", "NetStream.Publish.Start", "");
    assert_eq!((accepted, server.session.stream()), (Some(ClientEvent::Accepted), Some(5)));
    assert!(server.session.takes("hvc1") && !server.session.takes("av01"));
    server.session.send_data(bytes::Bytes::from_static(b"x"));
    server.session.finish();
    let heard = server.heard();
    assert_eq!((heard[0].kind, heard[0].stream, &heard[0].payload[..]), (kind::DATA, 5, &b"x"[..]));
    assert_eq!(heard.len(), 3, "data, FCUnpublish, deleteStream");
}

#[test]
fn connect_has_the_address_and_the_gateway() {
    let mut server = Server::new(Purpose::Publish);
    let connect = server.commands().remove(0);
    let text = |name: &str| connect[2].get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    assert_eq!(["app", "tcUrl", super::SENT_BY].map(text), ["live", "rtmp://h/live", "this-gateway"]);
    // The key is sent last, and only to the server.
    let info = object(&[("code", "NetConnection.Connect.Success".into())]);
    let accepted = ["_result".into(), Value::Number(1.0), Value::Null, info];
    server.say(&accepted);
    let release = server.commands().remove(0);
    assert_eq!(release[3].as_str(), Some("key?a=b"));
    server.say(&accepted);
    assert_eq!(server.commands().len(), 0, "a repeated answer is not answered");
}

#[test]
fn a_refusal_has_the_words_of_the_server() {
    let mut server = Server::new(Purpose::Publish);
    server.accept(1.0, &[]);
    let refused = server.status("error", "NetStream.Publish.BadName", "no such key");
    assert_eq!(refused, Some(ClientEvent::Refused("NetStream.Publish.BadName: no such key".to_owned())));
    let mut server = Server::new(Purpose::Publish);
    server.commands();
    let info = object(&[("level", "error".into()), ("description", "x".repeat(5000).as_str().into())]);
    let Some(ClientEvent::Refused(reason)) =
        server.say(&["_error".into(), Value::Number(1.0), Value::Null, info])
    else {
        panic!("refused")
    };
    assert_eq!(reason.len(), 300);
    // Servers that do not know a command of other encoders refuse only that.
    let mut server = Server::new(Purpose::Publish);
    server.commands();
    assert_eq!(server.say(&["_error".into(), Value::Number(2.0), Value::Null, object(&[])]), None);
}

#[test]
fn a_player_gets_media_once_it_is_accepted() {
    let mut server = Server::new(Purpose::Play(1 << 20));
    assert_eq!(server.accept(1.0, &[]), ["connect", "createStream", "play"]);
    let media = |server: &mut Server, kind| {
        let mut out = Vec::new();
        server.writer.write(kind, 40, 1, bytes::Bytes::from_static(b"m"), &mut out);
        server.session.read(&mut &out[..]).unwrap()
    };
    assert_eq!(media(&mut server, kind::VIDEO), None);
    assert_eq!(server.status("status", "NetStream.Play.Reset", ""), None);
    assert_eq!(server.status("status", "NetStream.Play.Start", ""), Some(ClientEvent::Accepted));
    let body = bytes::Bytes::from_static(b"m");
    assert_eq!(media(&mut server, kind::VIDEO), Some(ClientEvent::Video(40, body.clone())));
    assert_eq!(media(&mut server, kind::AUDIO), Some(ClientEvent::Audio(40, body.clone())));
    assert_eq!(media(&mut server, kind::DATA), Some(ClientEvent::Script(body)));
    assert_eq!(server.status("status", "NetStream.Play.UnpublishNotify", ""), Some(ClientEvent::Ended));
}

#[test]
fn what_is_not_rtmp_is_an_error() {
    let mut server = Server::new(Purpose::Publish);
    assert!(server.session.read(&mut &b"HTTP/1.1 400 Bad Request\r\n\r\n"[..]).is_err());
}
