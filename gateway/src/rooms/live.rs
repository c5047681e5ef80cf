//! The broadcast of a room: a mix of its participants, published as `live/ROOM`.

use super::message::{Code, Failure, Layout, Live};
use super::registry::Rooms;
use super::room_cell::RoomCell;
use super::state::{LiveInput, LiveScene, Millis, Room, USUAL_APP};
use crate::core::hub::StreamName;
use crate::jobs::mix::{InputRequest, Layout as MixLayout, MixChange, MixError, MixRequest, Pip};

/// Time after which the broadcast of a room without participants on the stage ends.
const ABANDONED: Millis = 300_000;

/// The mix of a room.
#[derive(Debug, Clone)]
pub(super) struct RoomMix {
    /// The id of the mix.
    id: u64,
    /// What the mix shows.
    scene: LiveScene,
    /// The time since when nobody is on the stage.
    empty_since: Option<Millis>,
    /// Whether the mix shows its last card.
    ending: bool,
}

impl Rooms {
    /// Starts the broadcast of a room.
    ///
    /// # Errors
    /// The gateway cannot mix now, or somebody else publishes `live/ROOM`; the text says why.
    pub(super) fn go_live(&self, name: &str, room: &Room, mix: &mut Option<RoomMix>) -> Result<(), Failure> {
        if let Some(mix) = mix.as_ref().filter(|mix| self.mixes().get(mix.id).is_some()) {
            if !mix.ending {
                return Ok(());
            }
            let text = "the broadcast shows its last card: try again in a few seconds".to_owned();
            return Err(Failure { text, retry: Some(3), ..Code::NotNow.failure() });
        }
        let not_now = |text: String| Failure { text, ..Code::NotNow.failure() };
        let output = broadcast_name(name).ok_or_else(|| {
            not_now(format!(
                "the room {USUAL_APP:?} cannot go live: its broadcast would be one of its own seats; use a room of another name"
            ))
        })?;
        let scene = room.scene();
        let request = MixRequest { names: true, ..request(&output, &scene) };
        let id = self.mixes().start(request).map_err(|error| match error {
            // In both cases another one can mix: a page of a host.
            MixError::Unavailable(_) | MixError::TooMany(_) => {
                Failure { text: error.to_string(), ..Code::CannotMix.failure() }
            }
            MixError::Request(_) | MixError::Busy(_) | MixError::Unknown => not_now(error.to_string()),
        })?;
        tracing::info!(room = name, stream = %output, "room goes live");
        *mix = Some(RoomMix { id, scene, empty_since: None, ending: false });
        Ok(())
    }

    /// Ends the broadcast of a room.
    ///
    /// # Errors
    /// The room has no broadcast of its own.
    pub(super) fn stop_live(&self, name: &str, card: &str, mix: &mut Option<RoomMix>) -> Result<(), Failure> {
        let Some(ended) = mix.as_mut() else {
            let text = format!(
                "the room {name:?} has no mix to end: it is not live, or an encoder publishes {USUAL_APP}/{name}"
            );
            return Err(Failure { text, ..Code::NotNow.failure() });
        };
        tracing::info!(room = name, "room ends its broadcast");
        // The room keeps the mix until its last card was shown.
        ended.ending = true;
        match self.mixes().stop(ended.id, card) {
            Ok(()) | Err(MixError::Unknown) => Ok(()),
            Err(error) => Err(Failure { text: error.to_string(), ..Code::NotNow.failure() }),
        }
    }

    /// Passes the changes of a room to its mix. Ends the mix when nobody has been on the stage for [`ABANDONED`].
    pub(super) fn update_mix(&self, cell: &RoomCell, now: Millis) {
        cell.with_mix(|room, mix| {
            let Some(current) = mix else { return };
            if self.mixes().get(current.id).is_none() {
                *mix = None;
                return;
            }
            if room.seated() > 0 || current.ending {
                current.empty_since = None;
            } else if now >= *current.empty_since.get_or_insert(now) + ABANDONED {
                let _ = self.stop_live(&cell.name, "", mix);
                return;
            }
            let scene = room.scene();
            if scene == current.scene {
                return;
            }
            let change = MixChange {
                inputs: Some(inputs(&scene)),
                layout: Some(layout(scene.layout)),
                spotlight: Some(scene.spotlight.clone().unwrap_or_default()),
                ..MixChange::default()
            };
            if let Err(error) = self.mixes().change(current.id, change) {
                tracing::warn!(room = cell.name, %error, "mix of the room not changed");
            }
            current.scene = scene;
        });
    }

    /// Ends the broadcast of a room that is closed for good.
    pub(super) fn end_mix(&self, cell: &RoomCell) {
        cell.with_mix(|_, mix| {
            if let Some(mix) = mix.take() {
                let _ = self.mixes().stop(mix.id, "");
            }
        });
    }

    /// Adds the state of the room's mix to that of its broadcast.
    pub(super) fn with_mix_state(&self, cell: &RoomCell, live: Live) -> Live {
        let Some(mix) = cell.mix_id().and_then(|id| self.mixes().get(id)) else { return live };
        // Everybody in the room reads this, so the details are in the log only.
        let failed = mix.is_failing().then_some("the mix failed, and starts again");
        Live { mixed: true, problem: failed.or(mix.status.limited_by).map(str::to_owned), ..live }
    }
}

/// Returns the name of a room's broadcast; `None` for the room with the name of the usual application.
pub(super) fn broadcast_name(room: &str) -> Option<StreamName> {
    if room == USUAL_APP { None } else { StreamName::new(USUAL_APP, room).ok() }
}

impl RoomMix {
    /// Returns the id of the mix.
    pub(super) const fn id(&self) -> u64 {
        self.id
    }
}

fn request(output: &StreamName, scene: &LiveScene) -> MixRequest {
    MixRequest {
        inputs: inputs(scene),
        layout: layout(scene.layout),
        spotlight: scene.spotlight.clone().unwrap_or_default(),
        ..MixRequest::new(output.as_str(), &[])
    }
}

/// Returns the inputs of a mix. A room may have more streams than a mix shows: the last ones are left out.
fn inputs(scene: &LiveScene) -> Vec<InputRequest> {
    let input = |input: &LiveInput| InputRequest {
        name: input.name.clone(),
        muted: input.muted,
        hidden: input.hidden,
        screen: input.screen,
        camera_off: input.camera_off,
        ..InputRequest::new(&input.stream)
    };
    scene.inputs.iter().take(crate::jobs::mix::MAX_INPUTS).map(input).collect()
}

fn layout(layout: Layout) -> MixLayout {
    match layout {
        Layout::Grid => MixLayout::Grid,
        Layout::Speaker => MixLayout::Speaker,
        Layout::Side => MixLayout::SideBySide,
        Layout::Screen => MixLayout::Screen,
        Layout::Pip => MixLayout::PictureInPicture(Pip::default()),
    }
}
