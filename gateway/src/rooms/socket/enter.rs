//! Lets a client into a room.

use std::net::SocketAddr;
use std::sync::Arc;

use futures_util::{SinkExt as _, StreamExt as _};
use http::request::Parts;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message as Frame;

use super::end::{End, NORMAL, REFUSED, binary, broken, say_goodbye};
use super::member::Member;
use super::{Client, SocketContext};
use crate::core::auth::AuthRequest;
use crate::rooms::credentials::{self, Checked};
use crate::rooms::delivery::Subscription;
use crate::rooms::message::{Code, Failure, Id, Join, Message, Request, Welcome};
use crate::rooms::registry::{Rooms, now, shown_address};
use crate::rooms::room_cell::RoomCell;
use crate::rooms::state::{Connection, Joining, PersonIdentity};
use crate::rooms::text;

/// Serves a client until its connection ends.
pub(super) async fn run(
    context: &SocketContext,
    room: &str,
    peer: SocketAddr,
    head: &Parts,
    mut client: Client,
) {
    let entered = match first_message(context, &mut client).await {
        Ok(Ok(join)) => enter(context, room, peer, head, &join).await,
        Ok(Err(failure)) => Err(failure),
        Err(end) => return say_goodbye(&mut client, end).await,
    };
    let Entered { cell, connection, id, subscription } = match entered {
        Ok(entered) => entered,
        Err(failure) => {
            let end = refuse(&mut client, failure).await;
            return say_goodbye(&mut client, end).await;
        }
    };
    let from = shown_address(peer);
    tracing::debug!(room, %id, from, "participant joined");
    let member = Member { context, cell: &cell, connection, id: &id };
    let (client, end) = member.talk(client, subscription).await;
    // The connection is removed first, so that the room sends nothing more to it.
    cell.forget(connection);
    cell.part(&context.rooms, |room| room.lose(&id, connection, now()));
    tracing::debug!(room, %id, from, code = end.0, "participant disconnected");
    if let Some(mut client) = client {
        say_goodbye(&mut client, end).await;
    }
}

/// A client that is in a room.
struct Entered {
    cell: Arc<RoomCell>,
    connection: Connection,
    id: Id,
    subscription: Subscription,
}

/// Waits for the first message. The inner error is the failure to tell the client.
async fn first_message(context: &SocketContext, client: &mut Client) -> Result<Result<Join, Failure>, End> {
    let join = timeout(context.limits.get().header_timeout, read_join(client)).await.map_err(|_| {
        (REFUSED, format!("the client did not send `join` within {:?}", context.limits.get().header_timeout))
    })??;
    Ok(match join {
        Some(join) if join.version != 1 => Err(Code::Version.failure()),
        Some(join) => Ok(join),
        None => Err(Code::NotJoined.failure()),
    })
}

/// Reads the first message. Returns `None` if it is not `join`.
async fn read_join(client: &mut Client) -> Result<Option<Join>, End> {
    loop {
        match client.next().await {
            None | Some(Ok(Frame::Close(_))) => return Err((NORMAL, String::new())),
            Some(Err(error)) => return Err(broken(&error)),
            Some(Ok(Frame::Text(text))) => {
                return Ok(match serde_json::from_str(&text) {
                    Ok(Request::Join(join)) => Some(join),
                    _ => None,
                });
            }
            Some(Ok(Frame::Binary(_))) => return Err(binary()),
            Some(Ok(_)) => {}
        }
    }
}

/// Checks the credentials of a client, and adds the client to the room.
async fn enter(
    context: &SocketContext,
    room: &str,
    peer: SocketAddr,
    head: &Parts,
    join: &Join,
) -> Result<Entered, Failure> {
    let rooms = &context.rooms;
    let name = text::name(&join.name).ok_or_else(|| Code::Name.failure())?;
    let request = AuthRequest::http(None, &head.uri, &head.headers, peer).by(head.version);
    let checked = credentials::check(rooms, room, join, &request).await?;
    let cell = rooms.open(room)?;
    let identity = PersonIdentity {
        subject: checked.subject.clone(),
        invitation: checked.invitation.clone(),
        ..PersonIdentity::at(credentials::address(&head.headers, peer))
    };
    let connection = rooms.connection();
    let returns = checked.seat.is_some() && checked.role.has_seat();
    let (id, subscription) = add(rooms, &cell, connection, name, checked, identity, join.since)?;
    if returns {
        // The participant's streams may be on air already. While the participant was not in the room, the room ignored
        // the small stream and the screen.
        rooms.sync(&cell);
    }
    Ok(Entered { cell, connection, id, subscription })
}

/// Adds the client to the room. Returns its identifier and its messages.
fn add(
    rooms: &Rooms,
    cell: &RoomCell,
    connection: Connection,
    name: String,
    checked: Checked,
    identity: PersonIdentity,
    since: Option<u64>,
) -> Result<(Id, Subscription), Failure> {
    let returns = checked.seat.is_some();
    let mut id = checked.seat.unwrap_or_else(|| credentials::new_id(&name));
    while !returns && cell.read(|room| room.knows(&id)) {
        id = credentials::new_id(&name);
    }
    let joining = Joining {
        connection,
        name,
        role: checked.role,
        id: id.clone(),
        returns,
        keyless: false,
        identity,
        since,
    };
    let subscription = cell.join(rooms, joining, now(), |welcome| {
        let key = rooms.seat_key(&cell.name, &welcome.id, welcome.role);
        Message::Welcome(Box::new(Welcome { key, ..welcome }))
    })?;
    Ok((id, subscription))
}

/// Sends a client the reason why it may not join. Returns the close code and text.
async fn refuse(client: &mut Client, failure: Failure) -> End {
    let text = failure.text.clone();
    let failure = Failure { about: Some("join"), ..failure };
    if let Ok(json) = serde_json::to_string(&[Message::Error(failure)]) {
        // If sending fails, the client is gone already.
        let _ = client.send(Frame::text(json)).await;
    }
    (REFUSED, text)
}
