//! FLV (Adobe Flash Video File Format 10.1, and Veovera's Enhanced RTMP v2 for its FourCC codecs).
//!
//! The tag *body* is the same as an RTMP message payload: [`BodyDemuxer`] and [`mux::frame_body`] serve both.
//! [`Demuxer`] adds the framing of FLV.

pub mod amf0;
mod body;
mod demux;
mod multitrack;
pub mod mux;
mod script;
mod tag;

pub use body::BodyDemuxer;
pub use demux::{Demuxer, Event, MAX_TAG_SIZE};
pub use script::{MAX_FIELD_BYTES, MAX_FIELDS, MAX_MESSAGE, Metadata, message};

const FORMAT: &str = "flv";

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
