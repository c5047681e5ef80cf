//! Forwards streams to other servers.
//!
//! A forward is a rule: a pattern of streams, and an address with places for their names. Each rule is a job (`job`),
//! which finds the streams that fit and starts a task for each: a target. A target (`target`) connects, sends, and
//! connects again after a pause when the server is away. It reads the stream as a viewer does, through a cursor, so a
//! target that is dead or slow costs nobody else anything. Start reading at [`Forwards`].

mod error;
mod job;
mod kept;
mod push_rtmp;
mod push_whip;
mod rechunk;
mod registry;
mod settings;
mod status;
mod target;

pub use error::ForwardError;
pub use job::ForwardOrigin;
pub use registry::{ForwardInfo, Forwards, LateForwards, MAX_FORWARDS};
pub use settings::{ForwardRule, ForwardSettings};
pub use status::{TargetState, TargetStatus};
