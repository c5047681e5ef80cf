//! A stream of another node, as viewers of HLS read it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;
use media::hls::playlist::{self, Playlist};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::cache::FetchError;
use super::join::{Join, numbers};
use crate::cluster::protocol::Owner;
use crate::core::name::StreamName;
use crate::edges::hls::render::Rendered;
use crate::edges::hls::viewers::Viewers;

/// Number of segments whose names are known, listed or not.
pub(super) const MAX_KNOWN: usize = 128;
/// A viewer may know segments that this node does not know yet, from another node: so many after the last one.
const AHEAD: u64 = 2;
/// Timeout of a request for a segment while the owner is not known yet.
const OWNER_TIMEOUT: Duration = Duration::from_secs(2);

/// The content of a [`RemoteStream`].
#[derive(Debug)]
struct State {
    asked: Instant,
    owner: Option<Arc<Owner>>,
    join: Join,
    rendered: Option<Arc<Rendered>>,
    /// The version of the owner's playlist.
    version: String,
    /// Three target durations.
    patience: Duration,
    /// Segments that are or were listed, oldest first.
    known: VecDeque<(u64, u64)>,
    /// Whether the owner refuses to make HLS of this stream.
    refused: bool,
    ended: bool,
}

/// The playlist and the viewers of one stream.
#[derive(Debug)]
pub(in crate::edges::hls) struct RemoteStream {
    name: StreamName,
    state: Mutex<State>,
    changed: watch::Sender<()>,
    pub(in crate::edges::hls) viewers: Viewers,
}

impl RemoteStream {
    pub(super) fn new(name: StreamName) -> Self {
        let state = State {
            asked: Instant::now(),
            owner: None,
            join: Join::default(),
            rendered: None,
            version: String::new(),
            patience: Duration::from_secs(6),
            known: VecDeque::new(),
            refused: false,
            ended: false,
        };
        Self { name, state: Mutex::new(state), changed: watch::Sender::new(()), viewers: Viewers::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(in crate::edges::hls) fn name(&self) -> &StreamName {
        &self.name
    }

    /// Records a request of a viewer.
    pub(super) fn ask(&self) {
        self.state().asked = Instant::now();
    }

    /// Returns the time since the last request of a viewer.
    pub(super) fn unasked(&self) -> Duration {
        self.state().asked.elapsed()
    }

    /// Returns how long a viewer may be silent before it counts as gone: three target durations.
    pub(in crate::edges::hls) fn patience(&self) -> Duration {
        self.state().patience
    }

    /// Returns the version of the newest playlist of the owner; empty before the first one.
    pub(super) fn version(&self) -> String {
        self.state().version.clone()
    }

    /// Sets the node that is asked for segments.
    pub(super) fn set_owner(&self, owner: Option<Arc<Owner>>) {
        let mut state = self.state();
        if owner.as_ref().map(|owner| &owner.node) != state.owner.as_ref().map(|owner| &owner.node) {
            // Another owner has other versions.
            state.version.clear();
        }
        state.owner = owner;
        drop(state);
        self.changed.send_replace(());
    }

    /// Takes a playlist of `node`. Returns whether the stream goes on there; `None` if the text is no playlist of it.
    pub(super) fn update(&self, node: &str, text: &str) -> Option<bool> {
        let Ok(Playlist::Media(media)) = playlist::parse(text) else { return None };
        let (epoch, number) = numbers(&media.segments.last()?.uri, &self.name)?;
        let version = format!("{epoch}-{}{}", epoch + number + 1, if media.ended { "-end" } else { "" });
        let goes_on = !media.ended;
        let mut state = self.state();
        state.refused = false;
        if state.version == version {
            return Some(goes_on);
        }
        state.version.clone_from(&version);
        let fresh: Vec<_> = media.segments.iter().filter_map(|s| numbers(&s.uri, &self.name)).collect();
        for segment in fresh {
            if !state.known.contains(&segment) {
                state.known.push_back(segment);
            }
        }
        let over = state.known.len().saturating_sub(MAX_KNOWN);
        state.known.drain(..over);
        if let Some(media) = state.join.push(&self.name, node, media) {
            state.patience = Duration::from_micros((media.target * 3).max(0) as u64);
            state.rendered = Some(Arc::new(Rendered::new(&media, version)));
        }
        drop(state);
        self.changed.send_replace(());
        Some(goes_on)
    }

    /// Returns whether a playlist has listed a segment lately.
    pub(super) fn knows(&self, epoch: u64, number: u64) -> bool {
        let state = self.state();
        let is_next = state.known.back().is_none_or(|last| epoch == last.0 && number > last.1);
        is_next || state.known.contains(&(epoch, number))
    }

    /// The owner does not make HLS of this stream.
    pub(super) fn refuse(&self) {
        let mut state = self.state();
        (state.refused, state.rendered) = (true, None);
        drop(state);
        self.changed.send_replace(());
    }

    /// No node has the stream any more.
    pub(super) fn clear(&self) {
        let mut state = self.state();
        (state.rendered, state.refused) = (None, false);
        state.version.clear();
    }

    /// Ends all waiting: this node does not look for the stream any more.
    pub(super) fn end(&self) {
        self.state().ended = true;
        self.changed.send_replace(());
    }

    /// Returns the playlist, if there is one.
    pub(in crate::edges::hls) fn playlist(&self) -> Option<Arc<Rendered>> {
        self.state().rendered.clone()
    }

    /// Waits for the playlist. Returns `None` if this node does not look for the stream any more.
    ///
    /// # Errors
    /// The status with which the owner refuses.
    pub(in crate::edges::hls) async fn ready(&self) -> Result<Option<Arc<Rendered>>, StatusCode> {
        let mut changed = self.changed.subscribe();
        loop {
            changed.borrow_and_update();
            {
                let state = self.state();
                if state.refused {
                    return Err(StatusCode::NOT_ACCEPTABLE);
                }
                if let Some(playlist) = &state.rendered {
                    return Ok(Some(playlist.clone()));
                }
                if state.ended {
                    return Ok(None);
                }
            }
            if changed.changed().await.is_err() {
                return Ok(None);
            }
        }
    }

    /// Returns the node that is asked for a segment.
    ///
    /// # Errors
    /// No playlist has listed the segment, or the owner is not known.
    pub(super) async fn owner_of(&self, epoch: u64, number: u64) -> Result<Arc<Owner>, FetchError> {
        let mut changed = self.changed.subscribe();
        let waited = timeout(OWNER_TIMEOUT, async {
            loop {
                changed.borrow_and_update();
                {
                    let state = self.state();
                    if let (Some(owner), Some(last)) = (&state.owner, state.known.back()) {
                        let is_next =
                            epoch == last.0 && number > last.1 && number - last.1 <= AHEAD && !state.ended;
                        let fits = is_next || state.known.contains(&(epoch, number));
                        return if fits { Ok(owner.clone()) } else { Err(FetchError::Unknown) };
                    }
                    if state.ended {
                        return Err(FetchError::Unknown);
                    }
                }
                if changed.changed().await.is_err() {
                    return Err(FetchError::Unknown);
                }
            }
        });
        waited.await.unwrap_or(Err(FetchError::Unknown))
    }
}
