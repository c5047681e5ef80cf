//! The inputs of a mix: those of the request, each with its task.

use std::cell::RefCell;
use std::rc::Rc;

use media::time::Micros;
use tokio::task::{AbortHandle, spawn_local};

use super::Picture;
use super::audio::{AudioMixer, InputId};
use super::follow::Follower;
use super::input::{InputState, Shows};
use super::mix_clock::MixClock;
use super::request::{InputRequest, MixRequest};
use crate::core::hub::{Hub, StreamName};

/// An input with its task. Dropping it ends the task, and with it the decoder.
pub(super) struct Input {
    pub(super) id: InputId,
    pub(super) request: InputRequest,
    pub(super) state: Rc<RefCell<InputState>>,
    task: AbortHandle,
}

impl Drop for Input {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An input that has a place in the layout.
pub(super) struct ShownInput<'a> {
    pub(super) id: InputId,
    pub(super) request: &'a InputRequest,
    pub(super) picture: Option<Picture>,
    pub(super) shows: Shows,
}

/// All inputs, in the order of the request.
pub(super) struct Inputs {
    hub: Hub,
    clock: MixClock,
    audio: Rc<RefCell<AudioMixer>>,
    all: Vec<Input>,
    next: InputId,
}

impl Inputs {
    pub(super) const fn new(hub: Hub, clock: MixClock, audio: Rc<RefCell<AudioMixer>>) -> Self {
        Self { hub, clock, audio, all: Vec::new(), next: 0 }
    }

    /// Returns all inputs.
    pub(super) fn all(&self) -> &[Input] {
        &self.all
    }

    /// Adds, removes and changes inputs, so that they are those of the request. Inputs that stay go on.
    pub(super) fn set(&mut self, request: &MixRequest) {
        let mut audio = self.audio.borrow_mut();
        let mut old = std::mem::take(&mut self.all);
        for wanted in &request.inputs {
            let same = old.iter().position(|input| input.request.stream == wanted.stream);
            let input = match same {
                Some(at) => {
                    let mut input = old.swap_remove(at);
                    input.request = wanted.clone();
                    input
                }
                None => {
                    let Ok(name) = StreamName::parse(&wanted.stream) else { continue };
                    self.next += 1;
                    audio.add(self.next);
                    self.begin(self.next, name, wanted.clone(), request)
                }
            };
            audio.set_gain(input.id, input.request.gain as f32, input.request.muted);
            self.all.push(input);
        }
        for gone in &old {
            audio.remove(gone.id);
        }
    }

    fn begin(&self, id: InputId, name: StreamName, wanted: InputRequest, request: &MixRequest) -> Input {
        let state = Rc::new(RefCell::new(InputState::default()));
        let follower = Follower {
            name,
            id,
            hub: self.hub.clone(),
            clock: self.clock.clone(),
            state: state.clone(),
            audio: self.audio.clone(),
            max_size: (request.width, request.height),
            half_period: request.period() / 2,
        };
        Input { id, request: wanted, state, task: spawn_local(follower.run()).abort_handle() }
    }

    /// Has every input choose its picture for the mix time `now`.
    pub(super) fn choose(&self, now: Micros, reserve: Micros) {
        for input in &self.all {
            let mut state = input.state.borrow_mut();
            state.choose(now, reserve);
            state.forget(now);
        }
    }

    /// Measures the delays of all inputs anew.
    pub(super) fn forget_delays(&self) {
        self.all.iter().for_each(|input| input.state.borrow_mut().clock.reset());
    }

    /// Returns the inputs that have a place in the layout at `now`.
    pub(super) fn shown(&self, now: Micros) -> Vec<ShownInput<'_>> {
        let shown = |input: &'_ Input| {
            let state = input.state.borrow();
            let shows = match state.shows(now) {
                Shows::Picture if input.request.camera_off => Shows::Card,
                shows => shows,
            };
            (shows, state.picture().cloned())
        };
        let inputs = self.all.iter().map(|input| (input, shown(input)));
        inputs
            .filter(|(_, (shows, _))| *shows != Shows::Nothing)
            .map(|(input, (shows, picture))| ShownInput {
                id: input.id,
                request: &input.request,
                picture,
                shows,
            })
            .collect()
    }
}
