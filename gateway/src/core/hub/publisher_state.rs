//! The properties of a stream's current publisher, and its tracks.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use media::{Config, Track, TrackId};
use tokio::time::Instant;

use super::events::ConfigEvents;

/// Time for which viewers expect another track from a new publisher that has not announced its tracks.
const LATE_TRACK: Duration = Duration::from_secs(10);

/// State of one track of the current publisher.
#[derive(Debug)]
struct KnownTrack {
    id: TrackId,
    config: Arc<Config>,
    events: ConfigEvents,
}

/// The kind of a stream's publisher.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PublisherKind {
    /// A client of this gateway, or a job that makes the stream here.
    #[default]
    Own,
    /// A job that stands in until another publisher comes: a pull, a slate, the demo.
    Stopgap,
    /// The relay of a stream that another node of the cluster publishes.
    Relay,
    /// Holds the place of a stream of another node of which only HLS is played here. No frames come.
    Placeholder,
}

/// State of the current publisher.
#[derive(Debug, Default)]
pub(super) struct PublisherState {
    tracks: Vec<KnownTrack>,
    /// When the publisher connected, for the API; `None` while it is away.
    pub(super) publishing: Option<SystemTime>,
    /// When the publisher connected.
    pub(super) begun: Option<Instant>,
    /// Whether the publisher has announced audio and video; `None` if it has announced nothing.
    pub(super) announced: Option<(bool, bool)>,
    /// When the publisher connected or last sent something.
    pub(super) heard: Option<Instant>,
    /// Description of the publisher's unreadable media.
    pub(super) unreadable: Option<String>,
    /// The number of the publisher to which these values belong.
    pub(super) turn: u64,
    /// Whether somebody sends frames in its place.
    pub(super) has_stand_in: bool,
    /// Whether somebody has sent frames in its place since its last frame.
    pub(super) covered: bool,
    /// Since when the covered publisher sends again, and the viewers wait for its key frame.
    pub(super) returning: Option<Instant>,
    /// The kind of the publisher.
    pub(super) kind: PublisherKind,
}

impl PublisherState {
    /// Returns the state of publisher `turn`, which connects now.
    pub(super) fn starting(turn: u64, kind: PublisherKind) -> Self {
        let (publishing, now) = (Some(SystemTime::now()), Some(Instant::now()));
        Self { publishing, heard: now, begun: now, turn, kind, ..Self::default() }
    }

    /// Returns the newest configuration of a track.
    pub(super) fn config(&self, id: TrackId) -> Option<&Arc<Config>> {
        self.tracks.iter().find(|track| track.id == id).map(|track| &track.config)
    }

    /// Stores the configuration of a track's newest frame. Returns whether to report a change to listeners now.
    pub(super) fn store_config(&mut self, id: TrackId, config: &Arc<Config>, now: Instant) -> bool {
        let Some(track) = self.tracks.iter_mut().find(|track| track.id == id) else {
            let mut events = ConfigEvents::default();
            let report = events.is_due(true, now);
            self.tracks.push(KnownTrack { id, config: config.clone(), events });
            return report;
        };
        let changed = !Arc::ptr_eq(&track.config, config);
        if changed {
            track.config = config.clone();
        }
        track.events.is_due(changed, now)
    }

    /// Returns whether a viewer should expect this track. That is so if the publisher has sent or announced the
    /// track, and while a publisher that has announced nothing is new.
    pub(super) fn promises(&self, track: Track) -> bool {
        let new = self.begun.is_some_and(|begun| begun.elapsed() < LATE_TRACK);
        let announced = self.announced.map_or(new, |(audio, video)| match track {
            Track::Audio => audio,
            Track::Video => video,
        });
        announced || self.config(track.into()).is_some()
    }

    /// Returns the number of tracks that have sent a frame, without second audio or video tracks.
    pub(super) fn count_default_tracks(&self) -> usize {
        self.tracks.iter().filter(|track| track.id.is_default()).count()
    }
}
