//! The guards with which rooms take part in admission: participants publish and play with their seat keys.

use std::fmt;
use std::sync::Arc;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};

use super::registry::{Rooms, is_name, now};
use super::role::Role;
use super::state::{USUAL_APP, participant_and_kind};
use crate::core::admission::{Ask, Guard, Refusal, Usage};
use crate::core::auth::Forged;
use crate::core::client::{Act, Identity};

/// The query parameter that contains a seat key.
const PARAMETER: &str = "seat";

/// The guard that admits the participants of a room by their seat keys. It runs before all other guards.
pub(super) struct SeatKeys(pub(super) Rooms);

/// The guard for publishers without a seat key. It refuses them if the room has no free seat, or if the stream
/// belongs to another participant. It runs after all other guards.
pub(super) struct FreeSeats(pub(super) Rooms);

impl SeatKeys {
    async fn identify(&self, ask: &Ask<'_>) -> Result<Option<Identity>, Refusal> {
        let key =
            form_urlencoded::parse(ask.credentials.query.as_bytes()).find(|(name, _)| name == PARAMETER);
        let Some((_, key)) = key else { return Ok(None) };
        let Some((room, id, role)) = self.seat_of(ask, &key) else {
            self.0.auth().hold_forged(Forged::Seat, &key, ask.credentials).await?;
            return Err(Refusal::Rule(
                "the seat key is wrong or has expired: join the room again".to_owned(),
            ));
        };
        self.admit(ask, room, id, role)
    }

    /// Returns the room, the participant and the role of a seat key that is for this stream; `None` if it is wrong.
    fn seat_of<'a>(&self, ask: &Ask<'a>, key: &'a str) -> Option<(&'a str, &'a str, Role)> {
        // The key of a room also plays the room's broadcast.
        let broadcast = ask.stream.as_str().strip_prefix(USUAL_APP).and_then(|rest| rest.strip_prefix('/'));
        let of_broadcast = broadcast.filter(|_| ask.act == Act::Play);
        let rooms = [Some(ask.stream.app()), of_broadcast].into_iter().flatten().filter(|room| is_name(room));
        let mut seats = rooms.filter_map(|room| {
            let (id, role) = self.0.passes().check_seat(room, key, now() / 1000)?;
            Some((room, id, role))
        });
        seats.next()
    }

    /// Decides about a participant with a seat key.
    fn admit(&self, ask: &Ask<'_>, room: &str, id: &str, role: Role) -> Result<Option<Identity>, Refusal> {
        if role == Role::Waiting {
            return Err(Refusal::Rule("wait until a host lets you in".to_owned()));
        }
        if ask.act == Act::Publish && !role.has_seat() {
            let text = "only participants with a seat may publish in this room: ask a host for a seat";
            return Err(Refusal::Rule(text.to_owned()));
        }
        if room != ask.stream.app() && self.0.get(room).is_none_or(|cell| cell.mix_id().is_none()) {
            // Somebody else publishes this stream: the key says nothing about it.
            return Ok(None);
        }
        // After a restart of the gateway, a participant with a seat may connect before the room is open again.
        let cell = if role.has_seat() { self.0.open(room).ok() } else { self.0.get(room) };
        let Some(cell) = cell else { return Ok(None) };
        if ask.act == Act::Publish {
            if participant_and_kind(ask.stream.stream()).0 != id {
                return Err(Refusal::Rule(format!(
                    "the seat key is for the seat {id:?}: publish {room}/{id}, not {}",
                    ask.stream
                )));
            }
            if let Some(text) = cell.read(|room| room.publish_refusal(ask.stream.stream(), true)) {
                return Err(Refusal::Rule(text.to_owned()));
            }
        }
        if cell.read(|room| room.is_removed(&id.into())) {
            return Err(Refusal::Rule("a host has removed this participant from the room".to_owned()));
        }
        if ask.usage == Usage::Consume {
            cell.apply(&self.0, |room| {
                room.key_used(id);
                Vec::new()
            });
        }
        Ok(Some(Identity::Seat { room: Arc::from(room), id: Arc::from(id) }))
    }
}

impl Guard for SeatKeys {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        _: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        self.identify(ask).boxed()
    }

    fn restricts_play(&self) -> bool {
        false
    }
}

impl Guard for FreeSeats {
    fn check<'a>(
        &'a self,
        ask: &'a Ask<'_>,
        known: Option<&'a Identity>,
    ) -> BoxFuture<'a, Result<Option<Identity>, Refusal>> {
        let seated = matches!(known, Some(Identity::Seat { .. }));
        let room = if ask.act == Act::Publish && !seated { self.0.get(ask.stream.app()) } else { None };
        let text = room.and_then(|cell| cell.read(|room| room.publish_refusal(ask.stream.stream(), false)));
        ready(match text {
            Some(text) => Err(Refusal::Rule(text.to_owned())),
            None => Ok(None),
        })
        .boxed()
    }

    fn restricts_play(&self) -> bool {
        false
    }
}

impl fmt::Debug for SeatKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeatKeys")
    }
}

impl fmt::Debug for FreeSeats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeSeats")
    }
}
