//! The signalling protocol of SRS, at `ws://…/sig/v1/rtc`. With it, SRS's pages `one2one.html` and `room.html` join the
//! same rooms.
//!
//! A client sends `{tid, msg: {action, room, display, …}}`, and the response repeats `tid`. Notifications have no
//! `tid`. The display name is the participant's identifier, and so the last segment of the stream's name. These
//! clients do not support seat keys, so they need the right to publish on this gateway.
//!
//! `call` reads the messages of a client, `page` exchanges messages with it, and `view` translates the messages of the
//! room.

mod call;
mod page;
#[cfg(test)]
mod tests;
mod view;

use std::net::SocketAddr;

use axum::body::Body;
use axum::response::Response;
use http::Request as HttpRequest;
use http::request::Parts;
use tokio::time::timeout;

use self::call::Action;
use self::page::Page;
use self::view::View;
use super::message::{Code, Failure, Id, Message, Request};
use super::registry::{is_name, now};
use super::role::Role;
use super::socket::{self, Client, End, REFUSED, SocketContext};
use super::state::{Joining, PersonIdentity, participant_and_kind};
use super::{credentials, text};
use crate::core::auth::AuthRequest;
use crate::core::client::Act;
use crate::core::hub::StreamName;

/// Handles a request for `/sig/v1/rtc`.
pub(super) fn serve(context: SocketContext, peer: SocketAddr, request: HttpRequest<Body>) -> Response {
    socket::upgrade(request, move |mut client, head| async move {
        let end = run(&context, peer, &head, &mut client).await;
        socket::say_goodbye(&mut client, end).await;
    })
}

async fn run(context: &SocketContext, peer: SocketAddr, head: &Parts, client: &mut Client) -> End {
    let call = match timeout(context.limits.get().header_timeout, call::next(client)).await {
        Err(_) => {
            return (
                REFUSED,
                format!("the client did not send `join` within {:?}", context.limits.get().header_timeout),
            );
        }
        Ok(Err(end)) => return end,
        Ok(Ok(call)) => call,
    };
    let rooms = &context.rooms;
    let refused = |text: &str| (REFUSED, text.to_owned());
    let Action { action, room, display, .. } = call.msg;
    let known =
        text::name(&display).filter(|name| *name == display && participant_and_kind(name).0 == display);
    let is_stream = StreamName::new(&room, &display)
        .is_ok_and(|name| (name.app(), name.stream()) == (room.as_str(), display.as_str()));
    if action != "join" || !is_name(&room) || known.is_none() || !is_stream {
        return refused(
            "the first message must have the action `join`, a room, and a display name that can name a stream",
        );
    }
    let request = AuthRequest::http(None, &head.uri, &head.headers, peer).by(head.version);
    match rooms.auth().is_free(Act::Publish, &request).await {
        Ok(true) => {}
        Ok(false) => return refused("publishing here needs the secret: add ?secret=… to the page's address"),
        Err(denied) => return refused(&denied.to_string()),
    }
    let cell = match rooms.open(&room) {
        Ok(cell) => cell,
        Err(failure) => return refused(&failure.text),
    };
    let (connection, id) = (rooms.connection(), Id::from(display));
    let identity = PersonIdentity::at(credentials::address(&head.headers, peer));
    let (name, role) = (id.to_string(), Role::Guest);
    let joining = Joining {
        connection,
        name,
        role,
        id: id.clone(),
        returns: false,
        keyless: true,
        identity,
        since: None,
    };
    let joined = cell.join(rooms, joining, now(), |welcome| Message::Welcome(Box::new(welcome)));
    let subscription = match joined {
        Ok(subscription) => subscription,
        Err(Failure { code: Code::Name, .. }) => {
            return refused(&format!(
                "the room has a participant of this name, {:?}: join under another name",
                &*id
            ));
        }
        Err(failure) => return refused(&failure.text),
    };
    // The participant's stream may be on air already.
    rooms.sync(&cell);
    let page = Page { context, cell: &cell, view: View::new(room, id.clone()), joins: Some(call.tid) };
    let attached = cell.attach(connection, subscription.mailbox().clone());
    let end = page.talk(client, &subscription).await;
    drop(attached);
    cell.forget(connection);
    // These clients have no seat key to return with, so the seat is freed immediately.
    cell.part(rooms, |room| room.handle(&id, connection, Request::Leave, now()));
    end
}
