//! The role that a client's credentials allow.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use rand::Rng as _;

use super::message::{Code, Failure, Id, Join};
use super::registry::{Rooms, now};
use super::role::Role;
use super::state::Room;
use super::text;
use crate::core::auth::{Auth, AuthRequest, Denied, Forged, visitor};
use crate::core::client::Act;
use crate::net::worker::counted_as;

/// Characters of the random part of an identifier. `l`, `o`, `0` and `1` are missing, because they look alike.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// Length of the random part of an identifier, in characters.
const RANDOM: usize = 4;

/// The result of checking a client's credentials.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Checked {
    pub(super) role: Role,
    /// The participant whose seat the client returns to, if the client sent a seat key.
    pub(super) seat: Option<Id>,
    /// The subject of the token, if the client sent one.
    pub(super) subject: Option<String>,
    /// The number of the invitation, if the client sent one.
    pub(super) invitation: Option<String>,
}

/// Checks the credentials of a client: seat key, invitation, token, secret or local connection. A client without
/// credentials may join the audience if everybody may play streams on this gateway.
///
/// # Errors
/// A credential is wrong, the client asks for a role that is not allowed, or there is no such room.
pub(super) async fn check(
    rooms: &Rooms,
    room: &str,
    join: &Join,
    request: &AuthRequest<'_>,
) -> Result<Checked, Failure> {
    let seconds = now() / 1000;
    let seat = join.key.as_deref().and_then(|key| rooms.passes().check_seat(room, key, seconds));
    if let Some((id, role)) = seat {
        let role = join.role.map_or(role, |wanted| wanted.min(role));
        if !role.has_seat() {
            check_open(rooms, room)?;
        }
        return Ok(Checked { role, seat: Some(Id::from(id)), subject: None, invitation: None });
    }
    let (mut subject, mut invitation) = (None, None);
    let allowed = if let Some(invite) = &join.invite {
        let wrong = "the invitation is wrong or has expired: ask a host for a new one";
        let checked = rooms.passes().check_invite(room, invite, seconds);
        let Some((number, role)) = checked else {
            return Err(refuse_forged(rooms.auth(), Forged::Invitation, invite, request, wrong).await);
        };
        invitation = Some(number.to_owned());
        role
    } else if let (Some(token), Some(tokens)) = (&join.token, &rooms.auth().tokens) {
        let pass = match tokens.consume_for_room(token, room).await {
            Ok(pass) => pass,
            Err(error) => return Err(denied(rooms.auth().refuse_token(error, token, request).await)),
        };
        subject = Some(pass.subject).filter(|subject| !subject.is_empty());
        pass.role.map_or(Some(Role::Guest), |name| Role::of_name(&name)).ok_or_else(|| {
            forbidden(
                "the token's claim `role` is not a role of rooms: it must be `host`, `guest` or `audience`",
            )
        })?
    } else if rooms.auth().is_free(Act::Publish, request).await.map_err(denied)? {
        Role::Host
    } else if rooms.auth().is_free(Act::Play, request).await.map_err(denied)? {
        Role::Audience
    } else {
        // The audience gets seat keys that play the room's streams, so it needs the right to play.
        let text = "watching here needs an invitation, a token or the secret";
        return Err(match &join.key {
            Some(key) => refuse_forged(rooms.auth(), Forged::Seat, key, request, text).await,
            None => forbidden(text),
        });
    };
    let role = join.role.unwrap_or(allowed);
    if role == Role::Waiting {
        return Err(forbidden(
            "`waiting` is not a role that a client may request: request `host`, `guest` or `audience`",
        ));
    }
    if role > allowed {
        return Err(forbidden(
            "your credentials do not allow this role: it needs an invitation, a token or the secret",
        ));
    }
    if !allowed.has_seat() {
        check_open(rooms, room)?;
    }
    Ok(Checked { role, seat: None, subject, invitation })
}

/// Checks that somebody is in the room: only somebody with a seat opens one.
fn check_open(rooms: &Rooms, room: &str) -> Result<(), Failure> {
    let open = rooms.get(room).is_some_and(|cell| cell.read(Room::empty_since).is_none());
    if open { Ok(()) } else { Err(Failure { retry: Some(5), ..Code::NoRoom.failure() }) }
}

fn forbidden(text: &str) -> Failure {
    Failure { text: text.to_owned(), ..Code::Forbidden.failure() }
}

/// Returns the refusal of a wrong credential with this text, after the delay that is due.
async fn refuse_forged(
    auth: &Auth,
    kind: Forged,
    shown: &str,
    request: &AuthRequest<'_>,
    text: &str,
) -> Failure {
    auth.hold_forged(kind, shown, request).await.map_or_else(denied, |()| forbidden(text))
}

fn denied(denied: Denied) -> Failure {
    let retry = if let Denied::Slow(seconds) = &denied { Some(*seconds) } else { None };
    Failure { retry, ..forbidden(&denied.to_string()) }
}

/// Returns the address by which a person is recognized: for IPv6 the first 64 bits, which belong to one customer.
pub(super) fn address(headers: &HeaderMap, peer: SocketAddr) -> IpAddr {
    counted_as(visitor(headers, peer))
}

/// Returns a new random identifier for a participant with this name.
pub(super) fn new_id(name: &str) -> Id {
    let mut random = rand::rng();
    let mut id = text::slug(name);
    id.push('-');
    for _ in 0..RANDOM {
        id.push(char::from(ALPHABET[random.random_range(..ALPHABET.len())]));
    }
    id.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_addresses_of_a_customer_are_one() {
        let at = |peer: &str| address(&HeaderMap::new(), peer.parse().unwrap());
        assert_eq!(at("[2001:db8::1]:9"), at("[2001:db8::2:3]:8"));
        assert_ne!(at("[2001:db8::1]:9"), at("[2001:db8:0:1::1]:9"));
        assert_ne!(at("192.0.2.1:9"), at("192.0.2.2:9"));
    }
}
