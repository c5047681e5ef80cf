//! Mixes several streams into one that never breaks: inputs come, go and change while it runs.
//!
//! A mix is a job with a thread of its own. For every input, `follow` reads the stream from the hub: it passes audio to
//! the mixer of `audio`, and video to a decoder, a child process of `children`. `input` keeps the decoded pictures, and
//! `input_clock` places them on the clock of the mix. `mixer` ticks at the frame rate of the output: it takes the
//! newest picture of each input that is due, lets `compose` draw them, and gives the result to the encoder of `output`,
//! another child process, which lives as long as the mix. A tick never waits for an input, so a mix cannot fall behind;
//! `load` lowers its quality when the machine is too slow.
//!
//! [`Mixes`] lists, starts, changes and ends the mixes, for the API and for rooms.

pub mod audio;
mod background;
mod buffers;
pub mod children;
pub mod compose;
mod control;
mod cpu;
mod follow;
#[cfg(test)]
mod hours;
mod input;
mod input_clock;
mod inputs;
mod job;
mod load;
mod look;
mod mix_clock;
mod mixer;
mod output;
mod picture;
mod registry;
mod report;
mod request;
mod returns;
mod settings;
mod status;
mod video;

pub use buffers::MAX_BUFFERS;
pub use compose::{Layout, Pip};
pub use picture::Picture;
pub use registry::{MixError, MixInfo, Mixes};
pub use request::{InputRequest, MAX_INPUTS, MixChange, MixRequest};
pub use settings::MixSettings;
pub use status::{InputStatus, MixStatus};
