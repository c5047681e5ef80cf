//! A participant of a room.

use super::bucket::Bucket;
use super::join::PersonIdentity;
use super::media::{SILENCE_BELOW, StreamKind};
use super::{Connection, KEEP_SEAT, Millis};
use crate::rooms::message::{Id, PersonInfo, Quality};
use crate::rooms::role::Role;

/// The state of one participant.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) identity: PersonIdentity,
    /// The connection of the page; `None` for an encoder, and while the connection is lost.
    pub(super) connection: Option<Connection>,
    /// When the connection was lost; `None` while it works.
    pub(super) away_since: Option<Millis>,
    /// Whether the participant is an encoder, which publishes and has no page.
    pub(super) encoder: bool,
    /// Whether the participant publishes without a seat key, as the pages of SRS do.
    pub(super) keyless: bool,
    /// Whether a media connection has used the seat key.
    pub(super) uses_key: bool,
    /// Whether the participant has raised a hand.
    pub(super) hand: bool,
    /// The host who invited the participant to the stage.
    pub(super) invited_by: Option<Id>,
    /// Whether the participant sends audio (the microphone is on), and video (the camera is on).
    pub(super) audio: bool,
    pub(super) video: bool,
    /// Whether the broadcast shows the participant.
    pub(super) shown: bool,
    pub(super) quality: Option<Quality>,
    /// Whether each kind of stream is on air, by [`StreamKind`].
    pub(super) on_air: [bool; StreamKind::ALL.len()],
    pub(super) last_chat: Option<Millis>,
    pub(super) chats: Bucket,
    pub(super) likes: Bucket,
    /// Limits the changes that are announced to all clients, such as a raised hand or a muted microphone.
    pub(super) changes: Bucket,
    /// The audio level that was announced last, in dBov.
    pub(super) level: i8,
}

/// Maximum burst of chat messages of one participant. The average is one message per second.
const CHAT_BURST: u32 = 5;
/// Maximum number of likes of one participant per second.
const LIKES: u32 = 50;
/// Maximum number of announced changes of one participant per second.
const CHANGES: u32 = 2;
/// Maximum burst of announced changes of one participant.
const CHANGES_BURST: u32 = 10;

impl Person {
    pub(super) fn new(id: Id, name: String, role: Role, identity: PersonIdentity, now: Millis) -> Self {
        Self {
            id,
            name,
            role,
            identity,
            connection: None,
            away_since: None,
            encoder: false,
            keyless: false,
            uses_key: false,
            hand: false,
            invited_by: None,
            audio: true,
            video: true,
            shown: true,
            quality: None,
            on_air: Default::default(),
            last_chat: None,
            chats: Bucket::new(1, CHAT_BURST, now),
            likes: Bucket::new(LIKES, LIKES, now),
            changes: Bucket::new(CHANGES, CHANGES_BURST, now),
            level: i8::MIN,
        }
    }

    pub(super) fn id(&self) -> Id {
        self.id.clone()
    }

    /// Returns whether the participant is listed for all clients. The rest of the audience is only counted.
    pub(super) fn is_listed(&self) -> bool {
        self.role != Role::Audience || self.hand || self.invited_by.is_some()
    }

    /// Returns whether the participant is more than one of the audience.
    pub(super) fn is_notable(&self) -> bool {
        self.is_listed() || self.is_on_air() || self.level >= SILENCE_BELOW || self.away_since.is_some()
    }

    /// Returns whether the participant's connection has been lost for too long to keep the seat.
    pub(super) fn is_lost(&self, now: Millis) -> bool {
        self.away_since.is_some_and(|since| now >= since + KEEP_SEAT)
    }

    /// Returns whether a stream of the participant is on air.
    pub(super) fn is_on_air(&self) -> bool {
        self.on_air.contains(&true)
    }

    /// Returns the public state of the participant in the room `room`.
    pub(super) fn info(&self, room: &str) -> PersonInfo {
        let [stream, small, screen] = StreamKind::ALL.map(|kind| {
            let on_air = self.on_air.get(kind as usize).is_some_and(|on| *on);
            on_air.then(|| kind.stream(room, &self.id))
        });
        PersonInfo {
            id: self.id.clone(),
            name: self.name.clone(),
            role: self.role,
            stream,
            small,
            screen,
            audio: self.audio,
            video: self.video,
            quality: self.quality,
            hand: self.hand,
            invited: self.invited_by.is_some(),
            away: self.away_since.is_some(),
            encoder: self.encoder,
            shown: self.shown,
        }
    }
}
