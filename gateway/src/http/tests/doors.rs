//! Every HTTP route asks for admission, and every client can be closed from outside.

use futures_util::StreamExt as _;
use media::Codec;
use tokio_tungstenite::tungstenite::Message;

use super::flv::{config, frame};
use super::*;
use crate::core::admission::PublishGrant;
use crate::core::admission::tests::{CLOSED, Closed};
use crate::core::client::{Act, Identity};
use crate::core::close::CloseReason;
use crate::core::hub::{Publisher, StreamName};

const CLOSE: &str = "Host: localhost\r\nConnection: close\r\n";

fn on_air(context: &Context, name: &str) -> Publisher {
    let grant = PublishGrant::for_job(&StreamName::parse(name).unwrap(), "test");
    let mut publisher = context.hub.publish(&grant).unwrap();
    publisher.announce(false, true);
    publisher.push(frame(&config(Codec::H264), 0, true));
    publisher
}

#[tokio::test]
async fn a_guard_is_asked_by_every_door_once_and_its_text_reaches_the_client() {
    let mut context =
        Context::new(LimitSettings { play_wait: 0, ..LimitSettings::default() }, Auth::default());
    let closed = Closed::default();
    context.admission = context.admission.with(closed.clone());
    let to = listen(&context, &CancellationToken::new()).await;
    let _publisher = on_air(&context, "live/x");
    let websocket = "Host: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    let post = |path: &str, body: &str| {
        format!("POST {path} HTTP/1.1\r\n{CLOSE}Content-Length: {}\r\n\r\n{body}", body.len())
    };
    let call = r#"{"streamurl":"webrtc://localhost/live/x","sdp":""}"#;
    let doors = [
        (format!("GET /live/x.flv HTTP/1.1\r\n{CLOSE}\r\n"), Act::Play, "http-flv"),
        (format!("GET /live/nobody.flv HTTP/1.1\r\n{CLOSE}\r\n"), Act::Play, "http-flv"),
        (format!("HEAD /live/x.flv HTTP/1.1\r\n{CLOSE}\r\n"), Act::Play, "http-flv"),
        (format!("GET /live/x.flv HTTP/1.1\r\n{websocket}"), Act::Play, "ws-flv"),
        (format!("GET /live/y.flv?action=publish HTTP/1.1\r\n{websocket}"), Act::Publish, "ws-flv"),
        (post("/live/y.flv", ""), Act::Publish, "http-flv"),
        (format!("GET /live/x.m3u8 HTTP/1.1\r\n{CLOSE}\r\n"), Act::Play, "hls"),
        (post("/live/y/whip", ""), Act::Publish, "whip"),
        (post("/live/x/whep", ""), Act::Play, "whep"),
        (post("/rtc/v1/publish/", call), Act::Publish, "webrtc"),
        (post("/rtc/v1/play/", call), Act::Play, "webrtc"),
    ];
    for (request, act, protocol) in doors {
        let answer = say(to, &request).await;
        let refused = request.starts_with("HEAD") && answer.starts_with("HTTP/1.1 403");
        assert!(refused || answer.contains(CLOSED), "{request}: {answer}");
        let identity = if act == Act::Play { Identity::Open } else { Identity::Local };
        let asked = std::mem::take(&mut *closed.0.lock().unwrap());
        assert_eq!(asked, [(act, protocol, Some(identity))], "{request}");
    }
    assert!(context.clients.list().is_empty());
}

#[tokio::test]
async fn an_operator_ends_publishers_and_viewers_with_the_same_reason() {
    let context = Context::new(LimitSettings::default(), Auth::default());
    let to = listen(&context, &CancellationToken::new()).await;
    let publisher = on_air(&context, "live/x");
    let text = CloseReason::Operator.to_string();
    let end = async |count: usize| {
        while context.clients.list().len() < count {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        context.clients.list().iter().for_each(|client| {
            assert!(context.clients.close(client.id, CloseReason::Operator));
        });
    };

    let body = format!("POST /live/y.flv HTTP/1.1\r\n{CLOSE}Content-Length: 100\r\n\r\nFLV\x01");
    let (answer, ()) = tokio::join!(say(to, &body), end(1));
    assert!(answer.starts_with("HTTP/1.1 410 ") && answer.contains(&text), "{answer}");

    for (path, code) in [("/live/x.flv", 1000), ("/live/y.flv?action=publish", 1008)] {
        let (mut socket, _) = tokio_tungstenite::connect_async(format!("ws://{to}{path}")).await.unwrap();
        end(1).await;
        let close = loop {
            if let Message::Close(close) = socket.next().await.unwrap().unwrap() {
                break close.unwrap();
            }
        };
        assert_eq!((u16::from(close.code), close.reason.to_string()), (code, text.clone()), "{path}");
        drop(socket);
        while !context.clients.list().is_empty() {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
    assert!(publisher.stream().publishing().is_some(), "a viewer takes nobody along");
}
