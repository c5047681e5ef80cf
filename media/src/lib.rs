//! Live media formats as pure functions of bytes: no I/O, no clock, no async runtime, no log.
//!
//! The unit of media is a [`Frame`]: one access unit or audio packet with its own [`Config`]. A *demuxer*
//! turns a container's bytes into frames, a *muxer* turns frames into bytes.
//!
//! # Demux FLV
//!
//! A [`flv::Demuxer`] takes bytes in pieces of any size, as they come from a network.
//!
//! ```
//! use bytes::Bytes;
//! use media::flv::{Demuxer, Event};
//!
//! # let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/clip.flv"))?;
//! let mut demuxer = Demuxer::new();
//! let mut frames = Vec::new();
//! for piece in clip.chunks(1500) {
//!     demuxer.push(Bytes::copy_from_slice(piece));
//!     while let Some(event) = demuxer.next() {
//!         // After an error about one tag, the following tags can still be read.
//!         if let Event::Frame(frame) = event? {
//!             frames.push(frame);
//!         }
//!     }
//! }
//! let first = frames.iter().find(|frame| frame.is_video()).expect("the clip has video");
//! assert!(first.key);
//! assert_eq!(first.config.codec.name(), "h264");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Mux MPEG-TS
//!
//! Every muxer takes the same frames. A [`ts::Muxer`] writes into a buffer, tables first.
//!
//! ```
//! # use bytes::Bytes;
//! # use media::flv::{Demuxer, Event};
//! # let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/clip.flv"))?;
//! # let mut demuxer = Demuxer::new();
//! # demuxer.push(Bytes::from(clip));
//! # let mut frames = Vec::new();
//! # while let Some(event) = demuxer.next() {
//! #     if let Event::Frame(frame) = event? {
//! #         frames.push(frame);
//! #     }
//! # }
//! let mut muxer = media::ts::Muxer::new();
//! let mut out = Vec::new();
//! for frame in &frames {
//!     muxer.frame(frame, &mut out)?;
//! }
//! muxer.flush(&mut out);
//! assert_eq!(out.len() % 188, 0);
//! assert_eq!(out[0], 0x47);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Cut segments for HLS
//!
//! A [`hls::Segmenter`] returns a segment whenever a frame completes one. Segments begin with a key frame.
//!
//! ```
//! # use bytes::Bytes;
//! # use media::flv::{Demuxer, Event};
//! # let clip = std::fs::read(concat!(env!("CARGO_MANIFEST_DIR"), "/../demo/clip.flv"))?;
//! # let mut demuxer = Demuxer::new();
//! # demuxer.push(Bytes::from(clip));
//! # let mut frames = Vec::new();
//! # while let Some(event) = demuxer.next() {
//! #     if let Event::Frame(frame) = event? {
//! #         frames.push(frame);
//! #     }
//! # }
//! use media::hls::{Segmenter, SegmenterConfig};
//! use media::time::SECOND;
//!
//! let mut segmenter = Segmenter::new(SegmenterConfig { target: 2 * SECOND, ..SegmenterConfig::default() });
//! let mut segments = Vec::new();
//! for frame in &frames {
//!     segments.extend(segmenter.push(frame, false));
//! }
//! segments.extend(segmenter.finish());
//! assert!(segments.len() > 1);
//! assert!(segments.iter().all(|segment| segment.independent));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
#![forbid(unsafe_code)]

pub mod bits;
pub mod clock;
pub mod codec;
pub mod config;
pub mod error;
pub mod flv;
pub mod frame;
pub mod hls;
pub mod mp4;
pub mod rtp;
pub mod time;
pub mod ts;

pub use config::{Audio, Codec, Config, Format, Track, TrackId, Video};
pub use error::{Error, ErrorKind, Result};
pub use frame::Frame;
