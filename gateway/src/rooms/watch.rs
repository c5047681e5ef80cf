//! Passes the events of the hub to the rooms, and does the periodic work of all rooms.

use std::collections::BTreeSet;
use std::time::{Duration, UNIX_EPOCH};

use tokio::time::{MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::live::broadcast_name;
use super::message::{Id, Live};
use super::registry::{Rooms, now};
use super::room_cell::{MANY_CLIENTS, RoomCell};
use super::state::{LOWEST_LEVEL, OnAir, Room};
use crate::core::hub::{Happened, HubEvent, NextEvent, Stream, StreamName};

/// Interval at which the rooms send their batches.
const TICK: Duration = Duration::from_millis(100);
/// The same for rooms with many clients: fewer batches need fewer system calls. A message still reaches everyone
/// within 300 ms.
const TICK_OF_MANY: Duration = Duration::from_millis(250);
/// Ticks between two readings of the audio levels.
const LEVELS_EVERY: u64 = 2;
/// Ticks between two checks of the broadcasts.
const BROADCASTS_EVERY: u64 = 5;
/// Ticks between two sweeps of empty rooms.
const SWEEP_EVERY: u64 = 100;

impl Rooms {
    /// Watches the hub and runs the ticks until `stop` is cancelled.
    pub(super) async fn watch(self, stop: CancellationToken) {
        let mut events = self.hub().events();
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut ticks_of_many = interval(TICK_OF_MANY);
        ticks_of_many.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut count = 0;
        // Without rooms nothing ticks: a gateway that has no work sleeps.
        let mut rooms = true;
        loop {
            tokio::select! {
                heard = events.next() => match heard {
                    None => return,
                    Some(NextEvent::Event(event)) => self.hear(&event),
                    Some(NextEvent::Missed(_)) => self.all().iter().for_each(|cell| self.sync(cell)),
                },
                () = self.opened() => rooms = true,
                _ = ticks.tick(), if rooms => {
                    count += 1;
                    rooms = self.tick(count);
                }
                _ = ticks_of_many.tick(), if rooms => {
                    self.all().iter().filter(|cell| cell.connections() > MANY_CLIENTS).for_each(|cell| cell.flush());
                }
                () = stop.cancelled() => return,
            }
        }
    }

    fn hear(&self, event: &HubEvent) {
        if matches!(
            event.happened,
            Happened::ConfigChanged(_)
                | Happened::Viewers(_)
                | Happened::Segment(_)
                | Happened::Recorded { .. }
        ) {
            return;
        }
        if let Some(cell) = self.get(event.stream.app()) {
            cell.apply(self, |room| {
                // Events of several threads may come in another order, so the hub tells the present state.
                let on_air = self.on_air(&event.stream);
                room.stream_changed(event.stream.stream(), on_air, now())
            });
        }
    }

    /// Returns whether the hub has a stream now.
    fn on_air(&self, name: &StreamName) -> OnAir {
        match self.hub().stream(name).map(|stream| stream.publishing().is_some()) {
            Some(true) => OnAir::Yes,
            Some(false) => OnAir::Paused,
            None => OnAir::No,
        }
    }

    /// Tells a room which of its streams the hub has now, and which have ended.
    pub(super) fn sync(&self, cell: &RoomCell) {
        cell.apply(self, |room| {
            let streams = self.hub().streams();
            let present = streams.iter().map(|stream| stream.name()).filter(|name| name.app() == cell.name);
            // The set is sorted, so that a main stream comes before its small stream. The main stream of an encoder
            // adds the participant to which the small stream belongs.
            let mut all: BTreeSet<StreamName> = present.cloned().collect();
            all.extend(room.known_streams().iter().filter_map(|id| StreamName::new(&cell.name, id).ok()));
            let changed = |name: &StreamName| room.stream_changed(name.stream(), self.on_air(name), now());
            all.iter().flat_map(changed).collect()
        });
    }

    /// Does the work of a tick. Returns whether there are rooms.
    fn tick(&self, count: u64) -> bool {
        let now = now();
        let rooms = self.all();
        let sockets: usize = rooms.iter().map(|cell| cell.connections()).sum();
        metrics::gauge!("lianmai_rooms").set(rooms.len() as f64);
        metrics::gauge!("lianmai_room_sockets").set(sockets as f64);
        let any = !rooms.is_empty();
        for cell in rooms {
            cell.apply(self, |room| room.tick(now));
            if count.is_multiple_of(LEVELS_EVERY) {
                let levels: Vec<(Id, i8)> = cell
                    .read(Room::on_air)
                    .into_iter()
                    .filter_map(|id| {
                        let name = StreamName::new(&cell.name, &id).ok()?;
                        // A publisher sends no audio while its microphone is off.
                        let level = self.hub().stream(&name)?.take_audio_level().unwrap_or(LOWEST_LEVEL);
                        Some((id, level))
                    })
                    .collect();
                cell.apply(self, |room| room.levels(&levels, now));
            }
            self.update_mix(&cell, now);
            if count.is_multiple_of(BROADCASTS_EVERY) {
                let live = self.with_mix_state(&cell, self.broadcast(&cell.name));
                cell.apply(self, |room| room.broadcast_changed(live));
            }
            if cell.connections() <= MANY_CLIENTS {
                cell.flush();
            }
        }
        if count.is_multiple_of(SWEEP_EVERY) {
            self.sweep(now);
        }
        any
    }

    /// Returns the broadcast of a room: the stream `live/ROOM`, if somebody publishes it.
    fn broadcast(&self, room: &str) -> Live {
        let stream = broadcast_name(room).and_then(|name| self.hub().stream(&name));
        stream.map_or_else(Live::default, |stream| live(&stream))
    }
}

fn live(stream: &Stream) -> Live {
    let Some(since) = stream.publishing() else { return Live::default() };
    let since = since.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64);
    Live {
        stream: Some(stream.name().to_string()),
        since: Some(since),
        viewers: stream.viewers(),
        ..Live::default()
    }
}
