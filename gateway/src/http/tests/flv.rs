//! FLV over real sockets.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use media::flv::{Demuxer, Event, mux};
use media::{Audio, Codec, Config, Format, Frame, Video};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_util::sync::CancellationToken;

use super::*;
use crate::core::admission::PublishGrant;
use crate::core::auth::{Auth, Secret};
use crate::core::close::CloseReason;
use crate::core::hub::{Publisher, StreamName};
use crate::http::tests::listen;
use crate::limits::LimitSettings;

pub(super) fn config(codec: Codec) -> Arc<Config> {
    let (format, description): (_, &[u8]) = match codec.track() {
        media::Track::Video => (
            Format::Video(Video { width: 16, height: 16 }),
            // A constrained baseline SPS of 16x16 and its PPS.
            b"\x01\x42\xc0\x0a\xff\xe1\0\x08\x67\x42\xc0\x0a\xdd\xec\x04\x40\x01\0\x04\x68\xce\x0f\xc8",
        ),
        media::Track::Audio => (Format::Audio(Audio { sample_rate: 48_000, channels: 2 }), b"\x11\x90"),
    };
    Arc::new(Config { codec, format, description: Bytes::from_static(description) })
}

pub(super) fn frame(config: &Arc<Config>, millis: i64, key: bool) -> Frame {
    let dts = millis * 1000;
    // One slice: IDR, or not.
    let data =
        Bytes::from_static(if key { &[0, 0, 0, 4, 0x65, 1, 2, 3] } else { &[0, 0, 0, 4, 0x41, 1, 2, 3] });
    Frame { number: 0, config: config.clone(), dts, pts: dts, key, data }
}

struct Gateway {
    context: Context,
    addr: SocketAddr,
}

impl Gateway {
    async fn start(settings: LimitSettings, auth: Auth) -> Self {
        let context = Context::new(settings, auth);
        let addr = listen(&context, &CancellationToken::new()).await;
        Self { context, addr }
    }

    fn publisher(&self, codecs: &[Codec]) -> Publisher {
        let mut publisher = self
            .context
            .hub
            .publish(&PublishGrant::for_job(&StreamName::parse("live/x").unwrap(), "test"))
            .unwrap();
        let tracks: Vec<_> = codecs.iter().map(|codec| config(*codec)).collect();
        publisher.announce(codecs.contains(&Codec::Aac), codecs.contains(&Codec::H264));
        for track in &tracks {
            publisher.push(frame(track, 0, true));
        }
        publisher
    }

    async fn http(&self, head: &str) -> TcpStream {
        let mut socket = TcpStream::connect(self.addr).await.unwrap();
        socket.write_all(format!("{head}\r\nHost: localhost\r\n\r\n").as_bytes()).await.unwrap();
        socket
    }

    fn ws(&self, path: &str) -> String {
        format!("ws://{}{path}", self.addr)
    }

    async fn until(&self, what: &str, holds: impl Fn(&Context) -> bool) {
        for _ in 0..2000 {
            if holds(&self.context) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        panic!("waited in vain for {what}");
    }
}

/// Returns a complete response: the head, and the body without chunk framing.
async fn whole(mut socket: TcpStream) -> (String, Bytes) {
    let mut all = Vec::new();
    socket.read_to_end(&mut all).await.unwrap();
    let split = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a head");
    let head = String::from_utf8(all[..split].to_vec()).unwrap();
    let (mut rest, mut body) = (&all[split + 4..], Vec::new());
    if !head.contains("chunked") {
        body.extend_from_slice(rest);
    }
    while head.contains("chunked") {
        let end = rest.windows(2).position(|w| w == b"\r\n").expect("a chunk's size");
        let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        body.extend_from_slice(&rest[end + 2..end + 2 + size]);
        rest = &rest[end + 4 + size..];
        if size == 0 {
            break;
        }
    }
    (head, body.into())
}

fn events(bytes: Bytes) -> Vec<Event> {
    let mut demuxer = Demuxer::new();
    demuxer.push(bytes);
    std::iter::from_fn(|| demuxer.next()).map(|event| event.expect("a good tag")).collect()
}

fn times(events: &[Event]) -> Vec<(bool, i64)> {
    let frame = |event: &Event| match event {
        Event::Frame(frame) => Some((frame.is_video(), frame.dts / 1000 - 1000)),
        _ => None,
    };
    events.iter().filter_map(frame).collect()
}

/// The codec of the first audio frame in FLV that `more` reads.
async fn audio_codec(mut more: impl AsyncFnMut() -> Bytes) -> Codec {
    let mut demuxer = Demuxer::new();
    loop {
        match demuxer.next() {
            Some(Ok(Event::Frame(frame))) if !frame.is_video() => return frame.config.codec,
            Some(event) => drop(event.expect("a good tag")),
            None => demuxer.push(more().await),
        }
    }
}

#[tokio::test]
async fn a_player_that_asks_for_opus_gets_it_and_others_get_aac() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let mut publisher = gateway.publisher(&[Codec::H264]);
    publisher.announce(true, true);
    let opus = Arc::new(media::codec::opus::config_of_channels(2));
    for packet in 0..10 {
        let (dts, silence) = (packet * 20_000, Bytes::from_static(&[0xfc, 0xff, 0xfe]));
        publisher.push(Frame { number: 0, config: opus.clone(), dts, pts: dts, key: true, data: silence });
    }
    for (query, codec) in [
        ("", Codec::Aac),
        ("?codecs=opus", Codec::Opus),
        ("?gop=1&codecs=aac,Opus", Codec::Opus),
        ("?codecs=hevc", Codec::Aac),
    ] {
        let mut socket = gateway.http(&format!("GET /live/x.flv{query} HTTP/1.1")).await;
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.push(socket.read_u8().await.unwrap());
        }
        let by_http = audio_codec(async || {
            let mut bytes = bytes::BytesMut::new();
            assert!(socket.read_buf(&mut bytes).await.unwrap() > 0, "the stream goes on");
            bytes.freeze()
        });
        assert_eq!(by_http.await, codec, "{query}");
        let address = gateway.ws(&format!("/live/x.flv{query}"));
        let (mut ws, _) = tokio_tungstenite::connect_async(address).await.unwrap();
        let by_websocket = audio_codec(async || match ws.next().await.expect("a message").unwrap() {
            Message::Binary(bytes) => bytes,
            other => panic!("{other:?}"),
        });
        assert_eq!(by_websocket.await, codec, "{query}");
    }
}

#[tokio::test]
async fn the_header_promises_only_the_tracks_that_are_there() {
    for (codecs, promised) in [
        (&[Codec::H264, Codec::Aac][..], (true, true)),
        (&[Codec::H264], (false, true)),
        (&[Codec::Aac], (true, false)),
    ] {
        let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
        let publisher = gateway.publisher(codecs);
        let socket = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
        gateway.until("a viewer", |_| publisher.stream().viewers() == 1).await;
        gateway.context.hub.shutdown();
        let (head, body) = whole(socket).await;
        for line in ["content-type: video/x-flv", "cache-control: no-store", "access-control-allow-origin: *"]
        {
            assert!(head.contains(line), "{head}");
        }
        let events = events(body);
        assert_eq!(events[0], Event::Header { audio: promised.0, video: promised.1 });
        assert_eq!(times(&events).len(), codecs.len(), "{events:?}");
    }
}

#[tokio::test]
async fn a_viewer_who_comes_first_waits_and_then_gets_everything() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let socket = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
    let (mut ws, _) = tokio_tungstenite::connect_async(gateway.ws("/live/x.flv")).await.unwrap();
    let mut publisher = gateway.publisher(&[Codec::H264, Codec::Aac]);
    gateway.until("both", |_| publisher.stream().viewers() == 2).await;
    for (path, viewers) in [("/live/x/viewers", 2), ("/live/nobody/viewers", 0)] {
        let socket = gateway.http(&format!("GET {path} HTTP/1.1\r\nConnection: close")).await;
        let (head, body) = whole(socket).await;
        assert!(head.contains("access-control-allow-origin: *"), "{head}");
        assert_eq!(body, format!("{{\"viewers\":{viewers}}}").as_bytes());
    }
    let video = config(Codec::H264);
    for n in 1..5 {
        publisher.push(frame(&video, n * 40, n == 3));
    }
    drop(publisher);
    gateway.context.hub.shutdown();
    let all = times(&events(whole(socket).await.1));
    let video: Vec<_> = all.iter().filter(|(video, _)| *video).map(|(_, at)| *at).collect();
    assert_eq!(video, [0, 40, 80, 120, 160]);
    let mut received = Vec::new();
    loop {
        match ws.next().await.expect("a close").unwrap() {
            Message::Binary(bytes) => received.extend_from_slice(&bytes),
            Message::Close(close) => {
                assert_eq!(&*close.unwrap().reason, "the stream is over");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(times(&events(received.into())), all);
}

#[tokio::test]
async fn a_websocket_hears_in_words_that_there_is_nothing() {
    let gateway =
        Gateway::start(LimitSettings { play_wait: 0, ..LimitSettings::default() }, Auth::default()).await;
    let (mut ws, _) = tokio_tungstenite::connect_async(gateway.ws("/live/x.flv")).await.unwrap();
    let Some(Ok(Message::Close(Some(close)))) = ws.next().await else { panic!("no close") };
    assert_eq!((u16::from(close.code), &*close.reason), (4404, "nobody is publishing this stream"));
}

#[tokio::test]
async fn a_websocket_viewer_is_answered_and_let_go() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let publisher = gateway.publisher(&[Codec::H264]);
    let (mut ws, _) = tokio_tungstenite::connect_async(gateway.ws("/live/x.flv")).await.unwrap();
    ws.send(Message::Ping(Bytes::from_static(b"there?"))).await.unwrap();
    loop {
        match ws.next().await.unwrap().unwrap() {
            Message::Pong(payload) => break assert_eq!(&payload[..], b"there?"),
            Message::Binary(_) => {}
            other => panic!("{other:?}"),
        }
    }
    ws.close(None).await.unwrap();
    gateway.until("nobody", |_| publisher.stream().viewers() == 0).await;
}

#[tokio::test]
async fn what_is_published_by_websocket_or_post_is_played() {
    let tracks = [config(Codec::H264), config(Codec::Aac)];
    let mut flv = mux::header(true, true).to_vec();
    for track in &tracks {
        flv.extend_from_slice(&mux::config_tag(track, 0));
    }
    for n in 0..3 {
        flv.extend_from_slice(&mux::frame_tag(&frame(&tracks[0], n * 40, n == 0)));
        flv.extend_from_slice(&mux::frame_tag(&frame(&tracks[1], n * 40 + 5, true)));
    }
    for by_post in [false, true] {
        let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
        let viewer = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
        if by_post {
            let head =
                format!("POST /live/x.flv HTTP/1.1\r\nConnection: close\r\nContent-Length: {}", flv.len());
            let mut socket = gateway.http(&head).await;
            socket.write_all(&flv).await.unwrap();
            assert!(whole(socket).await.0.starts_with("HTTP/1.1 204 "));
        } else {
            let url = gateway.ws("/live/x.flv?action=publish");
            let (mut ws, _) = tokio_tungstenite::connect_async(url).await.unwrap();
            for piece in flv.chunks(100) {
                ws.send(Message::Binary(piece.to_vec().into())).await.unwrap();
            }
            ws.close(None).await.unwrap();
            while let Some(Ok(_)) = ws.next().await {}
        }
        gateway.until("a viewer", |context| !context.clients.list().is_empty()).await;
        gateway.context.hub.shutdown();
        let seen = times(&events(whole(viewer).await.1));
        assert_eq!(seen, [(true, 0), (false, 5), (true, 40), (false, 45), (true, 80), (false, 85)]);
    }
}

#[tokio::test]
async fn publishers_are_refused_before_the_handshake() {
    let secret = Secret::from("s");
    let gateway =
        Gateway::start(LimitSettings::default(), Auth { public: true, secret, ..Auth::default() }).await;
    let status = async |query: &str| {
        let url = gateway.ws(&format!("/live/x.flv?action=publish{query}"));
        match tokio_tungstenite::connect_async(url).await {
            Err(Error::Http(answer)) => answer.status().as_u16(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(status("").await, 401);
    assert_eq!(status("&secret=x").await, 403);
    let _publisher = gateway.publisher(&[Codec::H264]);
    assert_eq!(status("&secret=s").await, 409);
}

#[tokio::test]
async fn what_is_no_flv_ends_with_words_and_frees_the_name() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let url = gateway.ws("/live/x.flv?action=publish");
    for (message, words) in [
        (Message::binary(&b"GET / HTTP/1.1 and so on"[..]), "the data is not an FLV stream"),
        (Message::text("FLV"), "binary messages"),
    ] {
        let (mut ws, _) = tokio_tungstenite::connect_async(&url).await.unwrap();
        ws.send(message).await.unwrap();
        let Some(Ok(Message::Close(Some(close)))) = ws.next().await else { panic!("no close") };
        assert!(close.reason.contains(words), "{close:?}");
    }
}

#[tokio::test]
async fn who_asks_slowly_or_too_early_gets_the_same_stream() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let early = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
    let mut slow = TcpStream::connect(gateway.addr).await.unwrap();
    slow.write_all(b"GET /live/x.flv HT").await.unwrap();
    // A request without a stream runs on this runtime in between, which proves that the others were seen.
    whole(gateway.http("GET /healthz HTTP/1.1\r\nConnection: close").await).await;
    let publisher = gateway.publisher(&[Codec::H264, Codec::Aac]);
    slow.write_all(b"TP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await.unwrap();
    gateway.until("both viewers", |_| publisher.stream().viewers() == 2).await;
    gateway.context.hub.shutdown();
    let (early, slow) = (whole(early).await, whole(slow).await);
    assert_eq!(events(early.1), events(slow.1));
    assert!(early.0.starts_with("HTTP/1.1 200") && slow.0.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_kicked_viewer_goes_and_the_others_stay() {
    let gateway = Gateway::start(LimitSettings::default(), Auth::default()).await;
    let mut publisher = gateway.publisher(&[Codec::H264]);
    let first = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
    gateway.until("a viewer", |context| context.clients.list().len() == 1).await;
    let second = gateway.http("GET /live/x.flv HTTP/1.1\r\nConnection: close").await;
    gateway.until("two viewers", |context| context.clients.list().len() == 2).await;
    let clients = &gateway.context.clients;
    assert!(clients.close(clients.list()[0].id, CloseReason::Operator));
    assert_eq!(times(&events(whole(first).await.1)), [(true, 0)]);
    publisher.push(frame(&config(Codec::H264), 40, false));
    gateway.context.hub.shutdown();
    assert_eq!(times(&events(whole(second).await.1)), [(true, 0), (true, 40)]);
}
