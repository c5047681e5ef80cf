//! The broadcast of the room: the mix that hosts start and end.

use super::chat::slow_down;
use super::{Connection, Millis, Output, Room, failure};
use crate::rooms::message::{Code, Failure, Id, Layout};
use crate::rooms::text;

/// Maximum length of the last card in characters.
const MAX_CARD: usize = 100;

/// One participant's stream in the broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rooms) struct LiveInput {
    /// The name of the stream, with its application.
    pub(in crate::rooms) stream: String,
    /// The name of the participant.
    pub(in crate::rooms) name: String,
    /// Whether the stream is a shared screen.
    pub(in crate::rooms) screen: bool,
    /// Whether the microphone is off.
    pub(in crate::rooms) muted: bool,
    /// Whether the camera is off.
    pub(in crate::rooms) camera_off: bool,
    /// Whether a host has taken the participant out of the picture.
    pub(in crate::rooms) hidden: bool,
}

/// What the broadcast shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::rooms) struct LiveScene {
    pub(in crate::rooms) inputs: Vec<LiveInput>,
    pub(in crate::rooms) layout: Layout,
    /// The stream that is shown large.
    pub(in crate::rooms) spotlight: Option<String>,
}

impl Room {
    /// Starts the broadcast; with a layout, changes the layout first.
    pub(super) fn go_live(
        &mut self,
        connection: Connection,
        layout: Option<Layout>,
        now: Millis,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        self.starts.take(1, now).map_err(slow_down)?;
        if let Some(layout) = layout.filter(|layout| *layout != self.layout) {
            self.layout = layout;
            self.settings_changed(out);
        }
        out.push(Output::GoLive { connection });
        Ok(())
    }

    /// Ends the broadcast with a last card, which may be empty.
    pub(super) fn stop_live(
        &mut self,
        connection: Connection,
        card: &str,
        out: &mut Vec<Output>,
    ) -> Result<(), Failure> {
        let card = text::clean(card);
        if card.chars().count() > MAX_CARD {
            return failure(Code::TooLong);
        }
        out.push(Output::StopLive { connection, card });
        Ok(())
    }

    /// Shows a participant in the broadcast, or takes the participant out of the picture. The audio stays.
    pub(super) fn show(&mut self, other: &Id, shown: bool, out: &mut Vec<Output>) -> Result<(), Failure> {
        let Some(person) = self.people.get_mut(other) else { return failure(Code::UnknownPerson) };
        if !person.role.has_seat() {
            return failure(Code::NotNow);
        }
        let changed = std::mem::replace(&mut person.shown, shown) != shown;
        self.hidden.retain(|id| id != other);
        if !shown {
            super::remember(&mut self.hidden, other.clone());
        }
        if changed {
            self.announce(other, true, out);
        }
        Ok(())
    }

    /// Returns what the broadcast shows now: the streams of all participants with a seat that are on air, in the order
    /// of their identifiers, the spotlighted one first.
    pub(in crate::rooms) fn scene(&self) -> LiveScene {
        let mut inputs = Vec::new();
        let mut spotlight = None;
        let seated = self.notable().filter(|person| person.role.has_seat());
        for person in seated {
            let info = self.shown(person);
            let input = |stream: String, screen: bool| LiveInput {
                stream,
                name: info.name.clone(),
                screen,
                muted: !screen && !info.audio,
                camera_off: !screen && !info.video,
                hidden: !info.shown,
            };
            let spotlighted = self.spotlight.as_ref() == Some(&person.id);
            for (stream, screen) in [(info.stream.clone(), false), (info.screen.clone(), true)] {
                let Some(stream) = stream else { continue };
                if spotlighted && !screen {
                    spotlight = Some(stream.clone());
                    inputs.insert(0, input(stream, screen));
                } else {
                    inputs.push(input(stream, screen));
                }
            }
        }
        LiveScene { inputs, layout: self.layout, spotlight }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::super::{Joining, OnAir, PersonIdentity, RoomLimits};
    use super::*;
    use crate::rooms::message::{Message, Request};
    use crate::rooms::role::Role;

    fn room() -> Room {
        let mut room = Room::new("show", RoomLimits { seats: 9 }, 0);
        for (connection, id, role) in
            [(1, "anna", Role::Host), (2, "bert", Role::Guest), (3, "carl", Role::Audience)]
        {
            let identity = PersonIdentity::at(IpAddr::V4(Ipv4Addr::LOCALHOST));
            let (name, id) = (id.to_owned(), id.into());
            let joining =
                Joining { connection, name, role, id, returns: false, keyless: false, identity, since: None };
            room.join(joining, 0, &mut Vec::new()).unwrap();
        }
        room
    }

    fn error(out: &[Output]) -> Option<Code> {
        out.iter().find_map(|output| match output {
            Output::To(_, Message::Error(failure)) => Some(failure.code),
            _ => None,
        })
    }

    #[test]
    fn only_hosts_go_live_and_not_too_often() {
        let mut room = room();
        let go = |room: &mut Room, connection, id: &str, now| {
            room.handle(&id.into(), connection, Request::GoLive { layout: None }, now)
        };
        assert_eq!(error(&go(&mut room, 2, "bert", 0)), Some(Code::Forbidden));
        assert_eq!(error(&go(&mut room, 3, "carl", 0)), Some(Code::Forbidden));
        let started = (0..50).filter(|_| error(&go(&mut room, 1, "anna", 0)).is_none()).count();
        assert_eq!(started, super::super::STARTS as usize);
        assert_eq!(error(&go(&mut room, 1, "anna", 0)), Some(Code::SlowDown));
        assert_eq!(error(&go(&mut room, 1, "anna", 5_000)), None);
        let card = Request::StopLive { card: "x".repeat(MAX_CARD + 1) };
        assert_eq!(error(&room.handle(&"anna".into(), 1, card, 5_000)), Some(Code::TooLong));
    }

    #[test]
    fn the_scene_has_everybody_on_air_and_remembers_who_is_hidden() {
        let mut room = room();
        for stream in ["anna", "bert", "bert~screen", "bert~s"] {
            room.stream_changed(stream, OnAir::Yes, 1);
        }
        let streams = |room: &Room| {
            room.scene().inputs.into_iter().map(|input| (input.stream, input.hidden)).collect::<Vec<_>>()
        };
        let is = |stream: &str, hidden| (format!("show/{stream}"), hidden);
        assert_eq!(streams(&room), [is("anna", false), is("bert", false), is("bert~screen", false)]);
        let hide = Request::Show { id: "bert".into(), shown: false };
        assert_eq!(error(&room.handle(&"bert".into(), 2, hide.clone(), 1)), Some(Code::Forbidden));
        assert_eq!(error(&room.handle(&"anna".into(), 1, hide, 1)), None);
        assert_eq!(streams(&room)[1..], [is("bert", true), is("bert~screen", true)]);
        let carl = Request::Show { id: "carl".into(), shown: false };
        assert_eq!(error(&room.handle(&"anna".into(), 1, carl, 1)), Some(Code::NotNow));
        assert_eq!(room.hidden.len(), 1);
    }
}
