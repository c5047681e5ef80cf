//! Pages of SRS in virtual time.

use std::net::{IpAddr, Ipv4Addr};

use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::io::duplex;
use tokio::time::Instant;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role as SocketRole;

use super::*;
use crate::rooms::tests::socket_context;

/// Serves a page until its connection ends. The page answers pings until the time is over. Returns the end, and after how
/// many seconds it came.
async fn serve_page(answers: bool) -> (End, u64) {
    let context = socket_context();
    let (near, far) = duplex(64 << 10);
    let mut near = socket::client(near, Vec::new()).await;
    let mut far = WebSocketStream::from_raw_socket(far, SocketRole::Client, None).await;
    let cell = context.rooms.open("show").unwrap();
    let connection = context.rooms.connection();
    let joining = Joining {
        connection,
        name: "page".to_owned(),
        role: Role::Guest,
        id: "page".into(),
        returns: false,
        keyless: true,
        identity: PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        since: None,
    };
    let welcome = |welcome| Message::Welcome(Box::new(welcome));
    let subscription = cell.join(&context.rooms, joining, now(), welcome).unwrap();
    let view = View::new("show".to_owned(), "page".into());
    let page = Page { context: &context, cell: &cell, view, joins: Some(Value::from("1")) };
    let _attached = cell.attach(connection, subscription.mailbox().clone());
    let started = Instant::now();
    let read = tokio::spawn(async move {
        let mut pings = 0;
        while let Some(Ok(frame)) = far.next().await {
            pings += u32::from(frame.is_ping());
            // The first message is the answer to `join`.
            if pings == 10 || (!answers && frame.is_text()) {
                break;
            }
        }
        far
    });
    let end = page.talk(&mut near, &subscription);
    let end = if answers {
        tokio::join!(end, async { drop(read.await) }).0
    } else {
        let far = read;
        let end = end.await;
        drop(far.await);
        end
    };
    (end, started.elapsed().as_secs())
}

#[tokio::test(start_paused = true)]
async fn a_page_that_is_silent_for_40_s_is_closed() {
    let (end, seconds) = serve_page(false).await;
    assert_eq!((end.0, seconds), (4008, 40));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_answers_pings_stays() {
    // It goes away at the tenth ping.
    let (end, seconds) = serve_page(true).await;
    assert_eq!((end.0, seconds), (1002, 150));
}
