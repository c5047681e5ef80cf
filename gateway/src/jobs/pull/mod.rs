//! Pulls streams from other servers, and plays files as streams.
//!
//! A pull is a rule: a pattern of streams, and an address. A pull on demand begins when a viewer waits for its stream
//! (the gateway's [`Origin`](crate::core::hub::Origin) asks `origin`), and ends some time after the last viewer; one
//! that is always on is a job from the start. `job` connects and connects again; `source` reads RTMP (`source_rtmp`),
//! HTTP-FLV (`source_flv`), HLS (`source_hls`) and files (`source_file`). A local publisher takes the stream over at any time. Start reading
//! at [`Pulls`].

mod entries;
mod error;
mod feed;
mod job;
mod kept;
mod origin;
mod pace;
mod registry;
mod rule;
mod settings;
mod source;
mod source_file;
mod source_flv;
mod source_hls;
mod source_rtmp;
mod source_whep;
mod status;

pub use entries::PullInfo;
pub use error::PullError;
pub use registry::{LatePulls, MAX_PULLS, Pulls};
pub use settings::{FileRule, Paths, PullRule, PullSettings};
pub use status::{PullState, PullStatus};
