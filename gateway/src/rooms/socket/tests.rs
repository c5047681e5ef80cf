//! Sockets in virtual time.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{DuplexStream, duplex};
use tokio::time::{Instant, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::Role as SocketRole;

use super::end::{End, NORMAL, SLOW, STOPPING};
use super::member::Member;
use super::*;
use crate::rooms::message::{Id, Message, Request};
use crate::rooms::registry::now;
use crate::rooms::role::Role;
use crate::rooms::room_cell::RoomCell;
use crate::rooms::state::{Connection, Joining, PersonIdentity};
use crate::rooms::tests::socket_context;

/// The client's side.
type Far = WebSocketStream<DuplexStream>;

/// Lets a member of the audience into the room `show` of `context`. Returns the future end of its connection.
async fn join(
    context: &SocketContext,
    id: &str,
    buffer: usize,
) -> (Far, Connection, tokio::task::JoinHandle<End>) {
    let (near, far) = duplex(buffer);
    let near = client(near, Vec::new()).await;
    let far = WebSocketStream::from_raw_socket(far, SocketRole::Client, None).await;
    let (connection, id) = (context.rooms.connection(), Id::from(id));
    let joining = Joining {
        connection,
        name: id.to_string(),
        role: Role::Audience,
        id: id.clone(),
        returns: false,
        keyless: false,
        identity: PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        since: None,
    };
    let cell = context.rooms.open("show").unwrap();
    let welcome = |welcome| Message::Welcome(Box::new(welcome));
    let subscription = cell.join(&context.rooms, joining, now(), welcome).unwrap();
    let context = context.clone();
    let task = tokio::spawn(async move {
        Member { context: &context, cell: &cell, connection, id: &id }.talk(near, subscription).await.1
    });
    (far, connection, task)
}

fn cell(context: &SocketContext) -> Arc<RoomCell> {
    context.rooms.get("show").unwrap()
}

/// Writes a chat message, which the next flush sends.
fn chat(context: &SocketContext, id: &str, connection: Connection, text: &str, at: u64) {
    let request = Request::Chat { text: text.to_owned() };
    cell(context).apply(&context.rooms, |room| room.handle(&id.into(), connection, request, at));
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_silent_for_40_s_is_closed() {
    let context = socket_context();
    let started = Instant::now();
    let (_far, _, end) = join(&context, "anna", 64 << 10).await;
    assert_eq!(end.await.unwrap().0, SLOW);
    assert_eq!(started.elapsed().as_secs(), 40);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_answers_pings_stays() {
    let context = socket_context();
    let (mut far, _, mut end) = join(&context, "anna", 64 << 10).await;
    let pings = async {
        let mut pings = 0;
        // Reading answers the pings.
        while let Some(Ok(frame)) = far.next().await {
            pings += u32::from(frame.is_ping());
            if pings == 100 {
                break;
            }
        }
        pings
    };
    assert_eq!(timeout(Duration::from_secs(2_000), pings).await.unwrap(), 100);
    assert!(!end.is_finished());
    // The page closes.
    far.send(Frame::Close(None)).await.unwrap();
    assert_eq!((&mut end).await.unwrap().0, NORMAL);
}

#[tokio::test(start_paused = true)]
async fn a_batch_reaches_those_who_read_and_does_not_wait_for_the_others() {
    let context = socket_context();
    let (mut reads, writer, _end) = join(&context, "reads", 64 << 10).await;
    // The welcome fits, and the chat does not.
    let (_stuck, _, _stuck_end) = join(&context, "stuck", 1 << 10).await;
    let mut heard = 0;
    for n in 0..200 {
        chat(&context, "reads", writer, &format!("text {n} {}", "x".repeat(200)), now() + n * 1_000);
        cell(&context).flush();
        while let Some(Ok(frame)) = reads.next().await {
            if frame.to_text().is_ok_and(|text| text.contains(&format!("text {n} "))) {
                heard += 1;
                break;
            }
        }
    }
    assert_eq!(heard, 200);
}

#[tokio::test(start_paused = true)]
async fn a_client_that_is_too_far_behind_is_closed() {
    let context = socket_context();
    let (_writer, connection, _end) = join(&context, "writer", 1 << 20).await;
    let (mut far, _, end) = join(&context, "slow", 4 << 10).await;
    for n in 0..200 {
        chat(&context, "writer", connection, &"x".repeat(200), now() + n * 1_000);
        cell(&context).flush();
        tokio::task::yield_now().await;
    }
    // It reads again, but the batches that it needs next are gone.
    let read = tokio::spawn(async move { while let Some(Ok(_)) = far.next().await {} });
    assert_eq!(end.await.unwrap().0, SLOW);
    read.abort();
}

#[tokio::test(start_paused = true)]
async fn a_gateway_that_stops_closes_its_clients() {
    let context = socket_context();
    let (_far, _, end) = join(&context, "anna", 64 << 10).await;
    context.stop.cancel();
    assert_eq!(end.await.unwrap().0, STOPPING);
}
