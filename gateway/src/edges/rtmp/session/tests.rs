use media::flv::amf0::{self, Value};
use proptest::prelude::*;

use super::*;
use crate::rtmp::message::{STREAM, object};

/// The client side. It uses the same writer and reader as the server.
struct Client {
    session: Session,
    writer: Writer,
    chunks: ChunkReader,
}

impl Client {
    /// Creates a client after the handshake.
    fn new() -> Self {
        let mut session = Session::new(16 << 20);
        let mut handshake = Handshake::new(PeerType::Client);
        let hello = handshake.generate_outbound_p0_and_p1().unwrap();
        // In two pieces, as a network may deliver it.
        assert_eq!(session.read(&mut &hello[..700]), Ok(None));
        assert_eq!(session.read(&mut &hello[700..]), Ok(None));
        let Ok(HandshakeProcessResult::Completed { response_bytes, .. }) =
            handshake.process_bytes(&session.take_output())
        else {
            panic!("the handshake goes through")
        };
        assert_eq!(session.read(&mut &response_bytes[..]), Ok(None));
        assert!(session.is_open());
        Self { session, writer: Writer::new(), chunks: ChunkReader::new(MAX_COMMAND) }
    }

    fn connected() -> Self {
        let mut client = Self::new();
        client.command(
            "connect",
            1.0,
            &[object(&[("app", "live".into()), ("tcUrl", "rtmp://h/live".into())])],
        );
        client.answers();
        client
    }

    fn send(&mut self, bytes: &[u8]) -> Vec<Event> {
        let mut input = bytes;
        std::iter::from_fn(|| self.session.read(&mut input).unwrap()).collect()
    }

    fn message(&mut self, kind: u8, timestamp: u32, payload: &[u8]) -> Vec<Event> {
        let mut out = Vec::new();
        self.writer.write(kind, timestamp, STREAM, Bytes::copy_from_slice(payload), &mut out);
        self.send(&out)
    }

    fn command(&mut self, name: &str, transaction: f64, values: &[Value]) -> Vec<Event> {
        let mut out = Vec::new();
        let head = [Value::from(name), Value::Number(transaction)];
        self.writer.values(kind::COMMAND, 0, &[&head[..], values].concat(), &mut out);
        self.send(&out)
    }

    /// Returns the server's replies: a command's name and code, or the type of another message.
    fn answers(&mut self) -> Vec<String> {
        let output = self.session.take_output();
        let mut input = &output[..];
        std::iter::from_fn(|| self.chunks.read(&mut input).unwrap())
            .map(|message| match message.kind {
                kind::COMMAND | kind::DATA => {
                    let values = amf0::read_all(&message.payload).unwrap();
                    let code = values.iter().find_map(|value| value.get("code")?.as_str());
                    [values[0].as_str().unwrap(), code.unwrap_or_default()].join(" ").trim().to_owned()
                }
                kind::USER_CONTROL => format!("control {}", message.payload[1]),
                kind => kind.to_string(),
            })
            .collect()
    }

    fn publish(&mut self) {
        let events = self.command("publish", 5.0, &[Value::Null, "livestream".into(), "live".into()]);
        assert!(matches!(&events[..], [Event::Publish(_)]), "{events:?}");
        self.session.accept_publish();
        self.answers();
    }
}

#[test]
fn an_encoder_publishes() {
    let mut client = Client::new();
    let connect =
        [("app", "live".into()), ("tcUrl", "rtmp://h/live".into()), ("flashVer", "FMLE/3.0".into())];
    assert_eq!(client.command("connect", 1.0, &[object(&connect)]), []);
    // Window size, bandwidth, chunk size, and the reply.
    assert_eq!(client.answers(), ["5", "6", "_result NetConnection.Connect.Success"]);
    client.command("releaseStream", 2.0, &[Value::Null, "livestream".into()]);
    client.command("FCPublish", 3.0, &[Value::Null, "livestream".into()]);
    client.command("createStream", 4.0, &[Value::Null]);
    let fc = "onFCPublish NetStream.Publish.Start";
    assert_eq!(client.answers(), ["_result", "_result", fc, "_result"]);
    // The request has not been accepted yet.
    assert_eq!(client.message(kind::VIDEO, 0, b"frame"), []);
    let events = client.command("publish", 5.0, &[Value::Null, "livestream?secret=x".into(), "live".into()]);
    let [Event::Publish(request)] = &events[..] else { panic!("{events:?}") };
    assert_eq!(request.address.name.as_ref().unwrap().as_str(), "live/livestream");
    assert_eq!((&*request.address.query, &*request.agent), ("secret=x", "FMLE/3.0"));
    client.session.accept_publish();
    assert_eq!(client.answers(), ["control 0", "onStatus NetStream.Publish.Start"]);
    assert_eq!(client.message(kind::VIDEO, 40, b"frame"), [Event::Video(40, Bytes::from_static(b"frame"))]);
    assert_eq!(client.message(kind::DATA_AMF3, 0, b"\0meta"), [Event::Script(Bytes::from_static(b"meta"))]);
    assert_eq!(client.command("FCUnpublish", 6.0, &[Value::Null, "livestream".into()]), [Event::Stop]);
    assert_eq!(client.command("deleteStream", 7.0, &[Value::Null, 1.0.into()]), []);
    assert_eq!(client.message(kind::VIDEO, 80, b"frame"), []);
}

#[test]
fn a_refusal_has_a_code_and_words_and_lets_the_client_ask_again() {
    let mut client = Client::connected();
    client.command("publish", 2.0, &[Value::Null, "a b".into()]);
    client.session.refuse("NetStream.Publish.BadName", "not this one");
    let output = client.session.take_output();
    assert!(output.windows(12).any(|bytes| bytes == b"not this one"));
    assert!(matches!(client.command("publish", 3.0, &[Value::Null, "b".into()])[..], [Event::Publish(_)]));
    // A second request on the same connection is refused by the session itself.
    assert_eq!(client.command("play", 4.0, &[Value::Null, "c".into()]), []);
    assert_eq!(client.answers(), ["onStatus NetStream.Failed"]);
}

#[test]
fn a_player_plays_pauses_and_is_told_the_end() {
    let mut client = Client::connected();
    client.command("_checkbw", 2.0, &[Value::Null]);
    client.command("createStream", 3.0, &[Value::Null]);
    client.command("getStreamLength", 4.0, &[Value::Null, "livestream".into()]);
    assert_eq!(client.answers(), ["_result", "_result", "_result"]);
    let events = client.command("play", 5.0, &[Value::Null, "livestream".into(), (-2000.0).into()]);
    assert!(matches!(events[..], [Event::Play(_)]));
    client.session.accept_play();
    let start = ["onStatus NetStream.Play.Reset", "onStatus NetStream.Play.Start"];
    assert_eq!(client.answers(), [&["control 0"], &start[..]].concat());
    client.message(kind::USER_CONTROL, 0, &[0, 3, 0, 0, 0, 1, 0, 0, 0x0b, 0xb8]);
    let pause = |on: bool| [Value::Null, on.into(), 0.0.into()];
    assert_eq!(client.command("pause", 0.0, &pause(true)), [Event::Pause(true)]);
    assert_eq!(client.command("pause", 0.0, &pause(false)), [Event::Pause(false)]);
    assert_eq!(client.answers(), ["onStatus NetStream.Pause.Notify", "onStatus NetStream.Unpause.Notify"]);
    client.session.end_play();
    let end = ["onStatus NetStream.Play.UnpublishNotify", "control 1", "onStatus NetStream.Play.Stop"];
    assert_eq!(client.answers(), end);
}

#[test]
fn enhanced_clients_hear_which_codecs_pass_and_amf3_commands_are_understood() {
    let mut client = Client::new();
    let mut payload = vec![0];
    let codecs = Value::StrictArray(vec!["hvc1".into()]);
    for value in ["connect".into(), 1.0.into(), object(&[("app", "live".into()), ("fourCcList", codecs)])] {
        amf0::write(&mut payload, &value);
    }
    client.message(kind::COMMAND_AMF3, 0, &payload);
    let output = client.session.take_output();
    let mut input = &output[..];
    let result = std::iter::from_fn(|| client.chunks.read(&mut input).unwrap()).last().unwrap();
    let values = amf0::read_all(&result.payload).unwrap();
    for place in [&values[2], &values[3]] {
        let info = place.get("videoFourCcInfoMap").unwrap();
        assert_eq!(info.get("hvc1").and_then(Value::as_number), Some(4.0));
    }
}

#[test]
fn a_player_supports_opus_if_it_says_so_in_connect() {
    let list = |codecs: &[&str]| {
        ("fourCcList", Value::StrictArray(codecs.iter().map(|codec| Value::from(*codec)).collect()))
    };
    let map = |codec: &str, mask: f64| ("audioFourCcInfoMap", object(&[(codec, mask.into())]));
    for (properties, supports_opus) in [
        (vec![], false),
        (vec![list(&["av01", "hvc1"])], false),
        (vec![list(&["hvc1", "Opus"])], true),
        (vec![list(&["*"])], true),
        (vec![("fourCcList", "Opus".into())], false),
        (vec![map("Opus", 1.0)], true),
        (vec![map("*", 4.0)], true),
        // Capability 2 is encoding only, and the map overrides the list.
        (vec![list(&["Opus"]), map("Opus", 2.0)], false),
        (vec![list(&["Opus"]), map("mp4a", 1.0)], false),
        (vec![list(&["Opus"]), ("audioFourCcInfoMap", Value::Null)], true),
        (vec![map("Opus", f64::NAN)], false),
    ] {
        let mut client = Client::new();
        let connect = [&[("app", Value::from("live"))][..], &properties].concat();
        client.command("connect", 1.0, &[object(&connect)]);
        let events = client.command("play", 2.0, &[Value::Null, "livestream".into()]);
        let [Event::Play(request)] = &events[..] else { panic!("{events:?}") };
        assert_eq!(request.supports_opus, supports_opus, "{properties:?}");
    }
}

#[test]
fn acknowledgements_count_every_byte_and_wrap() {
    let mut client = Client::connected();
    client.message(kind::WINDOW_SIZE, 0, &100_000u32.to_be_bytes());
    client.publish();
    // As if slightly less than 4 GiB had been received and acknowledged.
    client.session.received = (1 << 32) - 50_000;
    client.session.acknowledged = client.session.received;
    let before = client.session.received;
    for _ in 0..3 {
        client.message(kind::VIDEO, 0, &[0; 40_000]);
    }
    let read = client.session.received;
    assert!(read - before > 120_000);
    let output = client.session.take_output();
    let message = client.chunks.read(&mut &output[..]).unwrap().unwrap();
    assert_eq!(
        (message.kind, &message.payload[..]),
        (kind::ACKNOWLEDGEMENT, &(read as u32).to_be_bytes()[..])
    );
    assert!((read as u32) < 100_000, "it wrapped");
}

#[test]
fn pings_are_answered_and_aggregates_taken_apart() {
    let mut client = Client::connected();
    client.message(kind::USER_CONTROL, 0, &[0, 6, 1, 2, 3, 4]);
    let output = client.session.take_output();
    assert!(output.ends_with(&[0, 7, 1, 2, 3, 4]));
    client.publish();
    let tag = |kind: u8, time: u8, data: &[u8]| {
        [&[kind, 0, 0, data.len() as u8, 0, 0, time, 0, 0, 0, 0][..], data, &[0, 0, 0, 0]].concat()
    };
    let mut aggregate = [tag(8, 10, b"a"), tag(7, 11, b"?"), tag(9, 30, b"vv")].concat();
    aggregate.extend(b"\x09\0\0\xff cut");
    let events = client.message(kind::AGGREGATE, 1000, &aggregate);
    assert_eq!(
        events,
        [Event::Audio(1000, Bytes::from_static(b"a")), Event::Video(1020, Bytes::from_static(b"vv"))]
    );
}

#[test]
fn what_breaks_the_rules_ends_the_connection() {
    assert_eq!(Session::new(1).read(&mut &b"GET / HTTP/1.1\r\n"[..]), Err(SessionError::Handshake));
    let mut client = Client::new();
    let mut out = Vec::new();
    client.writer.values(
        kind::COMMAND,
        0,
        &["publish".into(), 1.0.into(), Value::Null, "x".into()],
        &mut out,
    );
    assert!(matches!(client.session.read(&mut &out[..]), Err(SessionError::Protocol(_))));
    // Large messages are only allowed from publishers.
    let mut client = Client::connected();
    let large = [4, 0, 0, 0, 0x20, 0, 0, kind::VIDEO, 1, 0, 0, 0];
    assert_eq!(
        client.session.read(&mut &large[..]),
        Err(SessionError::Chunk(ChunkError::TooLong(0x20_0000)))
    );
    let mut client = Client::connected();
    client.publish();
    assert_eq!(client.session.read(&mut &large[..]), Ok(None));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_input_panics(
        publishing: bool,
        parts in prop::collection::vec((0u8..24, prop::collection::vec(any::<u8>(), 0..60)), 0..20),
        garbage in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut client = Client::connected();
        if publishing {
            client.publish();
        }
        for (kind, payload) in parts {
            // Set Chunk Size applies to our own writer.
            if kind > 2 && !payload.is_empty() {
                let mut out = Vec::new();
                client.writer.write(kind, 0, 1, payload.into(), &mut out);
                let _ = client.session.read(&mut &out[..]);
            }
        }
        let mut input = &garbage[..];
        while let Ok(Some(_)) = client.session.read(&mut input) {}
    }
}
