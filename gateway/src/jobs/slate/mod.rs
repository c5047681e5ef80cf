//! Slates: an image or a clip that continues a stream while its publisher is away.
//!
//! Each rule of the settings is a job. For each stream that fits, `guard` encodes the slate once (`encode`), in the codec
//! and the size of the publisher. When the publisher leaves, the slate takes its place on the same clock, and yields to
//! the publisher that comes back. So viewers, forwards and recordings go on.

mod encode;
mod guard;
mod job;
mod registry;
mod settings;

pub use registry::Slates;
pub use settings::{SlateRule, SlateSettings};
