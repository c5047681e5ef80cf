//! Connections over real sockets, with a client made of the server's own parts.

use std::time::Duration;

use bytes::Bytes;
use media::flv::amf0::{self, Value};
use rml_rtmp::handshake::{Handshake, HandshakeProcessResult, PeerType};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use crate::context::Context;
use crate::core::admission::tests::{CLOSED, Closed};
use crate::core::auth::Auth;
use crate::core::client::Act;
use crate::core::close::CloseReason;
use crate::limits::LimitSettings;
use crate::rtmp::chunk::ChunkReader;
use crate::rtmp::message::{Message, STREAM, Writer, kind, object};

const AVC: &[u8] =
    b"\x17\0\0\0\0\x01\x42\xc0\x1e\xff\xe1\0\x17\x67\x42\xc0\x1e\xda\x01\x40\x16\xe8\x40\0\0\x03\0\x40\0\0\x0c\x83\xc5\x8b\xa8\x01\0\x04\x68\xce\x0f\xc8";
const KEY: &[u8] = b"\x17\x01\0\0\0\0\0\0\x05\x65\x88\x84\0\x10";
const AAC: &[u8] = b"\xaf\0\x12\x10";
const SOUND: &[u8] = b"\xaf\x01\x21\x10\x04";
const OPUS: &[u8] = b"\x90OpusOpusHead\x01\x02\0\0\x80\xbb\0\0\0\0\0";
/// 20 ms.
const OPUS_SILENCE: &[u8] = b"\x91Opus\xfc\xff\xfe";
/// The sequence header of what Opus is transcoded to.
const AAC_OF_OPUS: &[u8] = b"\xaf\0\x11\x90";

fn context(config: LimitSettings) -> Context {
    Context::new(config, Auth::default())
}

struct Client {
    socket: TcpStream,
    writer: Writer,
    chunks: ChunkReader,
    input: Vec<u8>,
}

impl Client {
    /// Creates a client that has sent `connect`.
    async fn new(context: &Context) -> Self {
        Self::connected(context, &[]).await
    }

    /// Creates a client that has sent `connect` with these additional properties.
    async fn connected(context: &Context, properties: &[(&str, Value)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (server, peer) = listener.accept().await.unwrap();
        tokio::spawn(super::handle(server, peer, context.clone(), None));
        let chunks = ChunkReader::new(1 << 20);
        let mut client = Self { socket, writer: Writer::new(), chunks, input: Vec::new() };
        let mut handshake = Handshake::new(PeerType::Client);
        let mut out = handshake.generate_outbound_p0_and_p1().unwrap();
        loop {
            client.socket.write_all(&out).await.unwrap();
            let mut answer = [0; 1537];
            let count = client.socket.read(&mut answer).await.unwrap();
            match handshake.process_bytes(&answer[..count]).unwrap() {
                HandshakeProcessResult::InProgress { response_bytes } => out = response_bytes,
                HandshakeProcessResult::Completed { response_bytes, remaining_bytes } => {
                    client.socket.write_all(&response_bytes).await.unwrap();
                    client.input = remaining_bytes;
                    break;
                }
            }
        }
        let tc_url = ("tcUrl", "rtmp://127.0.0.1/live".into());
        let connect = [&[("app", "live".into()), tc_url][..], properties].concat();
        client.command("connect", &[object(&connect)]).await;
        client
    }

    async fn message(&mut self, kind: u8, timestamp: u32, payload: &'static [u8]) {
        let mut out = Vec::new();
        self.writer.write(kind, timestamp, STREAM, Bytes::from_static(payload), &mut out);
        self.socket.write_all(&out).await.unwrap();
    }

    async fn command(&mut self, name: &str, values: &[Value]) {
        let mut out = Vec::new();
        let head = [Value::from(name), Value::Number(1.0)];
        self.writer.values(kind::COMMAND, 0, &[&head[..], values].concat(), &mut out);
        self.socket.write_all(&out).await.unwrap();
    }

    async fn publish(&mut self) {
        self.command("publish", &[Value::Null, "x".into()]).await;
        self.expect("NetStream.Publish.Start").await;
        self.message(kind::VIDEO, 0, AVC).await;
        self.message(kind::AUDIO, 0, AAC).await;
        self.message(kind::VIDEO, 0, KEY).await;
        self.message(kind::AUDIO, 0, SOUND).await;
    }

    async fn play(context: &Context) -> Self {
        Self::new(context).await.plays().await
    }

    async fn plays(self) -> Self {
        let mut player = self;
        player.command("play", &[Value::Null, "x".into()]).await;
        player
    }

    /// Returns the next message; `None` if the server closed the connection.
    async fn next(&mut self) -> Option<Message> {
        loop {
            let mut input = &self.input[..];
            let message = self.chunks.read(&mut input).unwrap();
            self.input = input.to_vec();
            if message.is_some() {
                return message;
            }
            let read = self.socket.read_buf(&mut self.input);
            if tokio::time::timeout(Duration::from_secs(20), read).await.expect("an answer").unwrap_or(0) == 0
            {
                return None;
            }
        }
    }

    /// Waits for `onStatus` with this code; returns its description.
    async fn expect(&mut self, code: &str) -> String {
        loop {
            let message = self.next().await.unwrap_or_else(|| panic!("{code} comes before the end"));
            if message.kind != kind::COMMAND {
                continue;
            }
            let values = amf0::read_all(&message.payload).unwrap();
            let text = |name: &str| values.iter().find_map(|v| v.get(name)?.as_str()).unwrap_or_default();
            if text("code") == code {
                return text("description").to_owned();
            }
            assert_ne!(text("level"), "error", "{}", text("code"));
        }
    }
}

#[tokio::test]
async fn opus_goes_to_players_that_list_it_and_aac_to_all_others() {
    let context = context(LimitSettings::default());
    let mut publisher = Client::new(&context).await;
    publisher.command("publish", &[Value::Null, "x".into()]).await;
    publisher.expect("NetStream.Publish.Start").await;
    publisher.message(kind::VIDEO, 0, AVC).await;
    publisher.message(kind::AUDIO, 0, OPUS).await;
    publisher.message(kind::VIDEO, 0, KEY).await;
    for packet in 0..10 {
        publisher.message(kind::AUDIO, packet * 20, OPUS_SILENCE).await;
    }
    let list = Value::StrictArray(vec!["hvc1".into(), "Opus".into()]);
    let enhanced = Client::connected(&context, &[("fourCcList", list)]).await.plays().await;
    let classic = Client::play(&context).await;
    for (mut player, header, packet) in
        [(enhanced, OPUS, OPUS_SILENCE), (classic, AAC_OF_OPUS, &b"\xaf\x01"[..])]
    {
        player.expect("NetStream.Play.Start").await;
        let mut audio = Vec::new();
        while audio.len() < 3 {
            let message = player.next().await.expect("the stream goes on");
            if message.kind == kind::AUDIO {
                audio.push(message.payload);
            }
        }
        assert_eq!(audio[0], header);
        assert!(audio[1..].iter().all(|body| body.starts_with(packet)), "{audio:02x?}");
    }
}

#[tokio::test]
async fn what_is_published_is_played_and_the_end_is_told() {
    let context = context(LimitSettings { reconnect: 0, ..LimitSettings::default() });
    // The player connects first and waits.
    let mut player = Client::play(&context).await;
    let mut publisher = Client::new(&context).await;
    publisher.publish().await;
    player.expect("NetStream.Play.Start").await;
    let mut got = Vec::new();
    while got.len() < 5 {
        let message = player.next().await.expect("the stream goes on");
        assert_eq!(message.stream, STREAM);
        got.push((message.kind, message.timestamp, message.payload));
    }
    assert_eq!(got.remove(0).0, kind::DATA);
    let expect = [(9, AVC), (8, AAC), (9, KEY), (8, SOUND)];
    assert_eq!(got, expect.map(|(kind, body)| (kind, 1000, Bytes::from_static(body))));
    assert_eq!(context.clients.list().len(), 2);
    publisher.command("deleteStream", &[Value::Null, 1.0.into()]).await;
    player.expect("NetStream.Play.UnpublishNotify").await;
    while player.next().await.is_some() {}
}

#[tokio::test]
async fn refusals_come_in_words_and_close_the_connection() {
    let context = context(LimitSettings { play_wait: 0, ..LimitSettings::default() });
    let mut publisher = Client::new(&context).await;
    publisher.publish().await;
    let mut second = Client::new(&context).await;
    second.command("publish", &[Value::Null, "x".into()]).await;
    assert_eq!(
        second.expect("NetStream.Publish.BadName").await,
        crate::core::hub::PublishError::Busy.to_string()
    );
    assert!(second.next().await.is_none());
    let mut player = Client::new(&context).await;
    player.command("play", &[Value::Null, "y".into()]).await;
    player.expect("NetStream.Play.StreamNotFound").await;
    let private = Context::new(LimitSettings::default(), Auth { public: true, ..Auth::default() });
    let mut stranger = Client::new(&private).await;
    stranger.command("publish", &[Value::Null, "x".into()]).await;
    stranger.expect("NetStream.Publish.Denied").await;
}

#[tokio::test]
async fn a_bad_frame_is_skipped_and_a_broken_publisher_harms_no_other() {
    let context = context(LimitSettings::default());
    let mut publisher = Client::new(&context).await;
    publisher.publish().await;
    let mut player = Client::play(&context).await;
    player.expect("NetStream.Play.Start").await;
    let mut broken = Client::new(&context).await;
    broken.socket.write_all(&[0xff; 100]).await.unwrap();
    while broken.next().await.is_some() {}
    publisher.message(kind::VIDEO, 40, b"\x17\x01\0\0\0\0\0\xff\xff\xff").await;
    publisher.message(kind::VIDEO, 80, KEY).await;
    loop {
        let message = player.next().await.expect("the stream goes on");
        if message.kind == kind::VIDEO && message.timestamp > 1000 {
            assert_eq!((message.timestamp, &message.payload[..]), (1080, KEY));
            break;
        }
    }
}

#[tokio::test]
async fn a_guard_is_asked_for_both_acts_and_its_text_reaches_the_client() {
    let mut context = context(LimitSettings::default());
    let closed = Closed::default();
    context.admission = context.admission.with(closed.clone());
    for (command, code) in [("publish", "NetStream.Publish.Denied"), ("play", "NetStream.Play.Failed")] {
        let mut client = Client::new(&context).await;
        client.command(command, &[Value::Null, "x".into()]).await;
        assert_eq!(client.expect(code).await, CLOSED);
    }
    let asked: Vec<_> = closed.0.lock().unwrap().iter().map(|(act, protocol, _)| (*act, *protocol)).collect();
    assert_eq!(asked, [(Act::Publish, "rtmp"), (Act::Play, "rtmp")]);
    assert!(context.clients.list().is_empty());
}

#[tokio::test]
async fn an_operator_ends_both_sides() {
    let context = context(LimitSettings::default());
    let mut publisher = Client::new(&context).await;
    publisher.publish().await;
    let mut player = Client::play(&context).await;
    player.expect("NetStream.Play.Start").await;
    for client in context.clients.list() {
        assert!(context.clients.close(client.id, CloseReason::Operator));
    }
    let text = CloseReason::Operator.to_string();
    assert_eq!(player.expect("NetStream.Play.Failed").await, text);
    assert_eq!(publisher.expect("NetStream.Publish.Failed").await, text);
    while publisher.next().await.is_some() {}
    while player.next().await.is_some() {}
    assert!(context.clients.list().is_empty());
}

#[tokio::test]
async fn a_player_that_takes_nothing_is_dropped_and_others_go_on() {
    let context = context(LimitSettings { stall_timeout: 1, ..LimitSettings::default() });
    let mut publisher = Client::new(&context).await;
    publisher.publish().await;
    let stalled = Client::play(&context).await;
    let mut player = Client::play(&context).await;
    player.expect("NetStream.Play.Start").await;
    while context.clients.list().len() < 3 {
        tokio::task::yield_now().await;
    }
    // Frames that fill any socket's buffer quickly.
    let picture: &'static [u8] = [&KEY[..5], &[0, 3, 0, 0, 0x65], &[0x88; 0x2_ffff]].concat().leak();
    for at in 1.. {
        publisher.message(kind::VIDEO, at * 40, picture).await;
        while player.next().await.expect("the stream goes on").timestamp != 1000 + at * 40 {}
        if context.clients.list().len() == 2 {
            break;
        }
    }
    drop(stalled);
}

#[tokio::test]
async fn players_hear_what_a_publisher_sends_that_cannot_be_read() {
    let context = context(LimitSettings { play_wait: 1, ..LimitSettings::default() });
    let mut publisher = Client::new(&context).await;
    publisher.command("publish", &[Value::Null, "x".into()]).await;
    publisher.expect("NetStream.Publish.Start").await;
    // VP6, which is not supported.
    publisher.message(kind::VIDEO, 0, b"\x14\0\0").await;
    let mut player = Client::new(&context).await;
    player.command("play", &[Value::Null, "x".into()]).await;
    let words = player.expect("NetStream.Play.Failed").await;
    assert_eq!(words, "the publisher sends video codec VP6, which this server cannot read");
}
