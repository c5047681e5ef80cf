//! A participant of a room.

use super::bucket::Bucket;
use super::join::Who;
use super::media::StreamKind;
use super::{Connection, KEEP_SEAT, Millis};
use crate::rooms::message::{Id, PersonInfo, Quality};
use crate::rooms::role::Role;

/// One participant.
#[derive(Debug)]
pub(super) struct Person {
    pub(super) id: Id,
    pub(super) name: String,
    pub(super) role: Role,
    pub(super) who: Who,
    /// The connection of the page; `None` for an encoder, and while the connection is lost.
    pub(super) connection: Option<Connection>,
    /// When the connection was lost.
    pub(super) away_since: Option<Millis>,
    /// Whether the participant is a stream without a page.
    pub(super) encoder: bool,
    /// Whether the participant publishes without a seat key, as the pages of SRS do.
    pub(super) keyless: bool,
    /// Whether a connection for media used the seat key.
    pub(super) uses_key: bool,
    pub(super) hand: bool,
    /// The host who invited the participant to the stage.
    pub(super) invited_by: Option<Id>,
    pub(super) audio: bool,
    pub(super) video: bool,
    pub(super) quality: Option<Quality>,
    pub(super) on_air: [bool; StreamKind::ALL.len()],
    pub(super) last_chat: Option<Millis>,
    pub(super) chats: Bucket,
    pub(super) likes: Bucket,
    /// Changes that everybody hears of: a raised hand, a muted microphone.
    pub(super) changes: Bucket,
    /// In dBov.
    pub(super) level: i8,
}

/// Chat messages of one participant: one per second, five at once.
const CHAT_BURST: u32 = 5;
/// Likes of one participant per second.
const LIKES: u32 = 50;
/// Announced changes of one participant per second, and at once.
const CHANGES: u32 = 2;
const CHANGES_BURST: u32 = 10;

impl Person {
    pub(super) fn new(id: Id, name: String, role: Role, who: Who, now: Millis) -> Self {
        Self {
            id,
            name,
            role,
            who,
            connection: None,
            away_since: None,
            encoder: false,
            keyless: false,
            uses_key: false,
            hand: false,
            invited_by: None,
            audio: true,
            video: true,
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

    /// Returns whether every client knows the participant. The audience is only counted.
    pub(super) fn is_listed(&self) -> bool {
        self.role != Role::Audience || self.hand || self.invited_by.is_some()
    }

    /// Returns whether the participant's connection is lost for too long.
    pub(super) fn is_lost(&self, now: Millis) -> bool {
        self.away_since.is_some_and(|since| now >= since + KEEP_SEAT)
    }

    /// Returns whether a stream of the participant is on air.
    pub(super) fn is_on_air(&self) -> bool {
        self.on_air.contains(&true)
    }

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
        }
    }
}
