//! Named live streams: who publishes, who plays, and the frames between them. Knows no protocol.
//!
//! [`Hub::publish`] gives a [`Publisher`], [`Hub::play`] a [`Stream`] whose frames any number of
//! [`ring::Cursor`]s read. Both take a grant of [`crate::core::admission`]. A stream outlives its publisher
//! for a while, so that one who reconnects finds the viewers still there.
//!
//! # Example
//!
//! A publisher and a viewer of one stream, without a protocol:
//!
//! ```
//! use std::time::Duration;
//!
//! use gateway::core::admission::{PlayGrant, PublishGrant};
//! use gateway::core::hub::{Hub, HubConfig, Start, StreamName};
//! # use std::sync::Arc;
//! # use media::{Audio, Codec, Config, Format, Frame};
//! # fn frame() -> Frame {
//! #     let format = Format::Audio(Audio { sample_rate: 48_000, channels: 2 });
//! #     let config = Config { codec: Codec::Opus, format, description: Default::default() };
//! #     Frame { number: 0, config: Arc::new(config), dts: 0, pts: 0, key: true, data:
//! bytes::Bytes::from_static(b"opus") }
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let hub = Hub::new(HubConfig::default());
//! let name = StreamName::parse("live/hello")?;
//!
//! // Code of the gateway itself; a client's grant comes from `Admission`.
//! let grant = PublishGrant::for_job(&name, "hello");
//! let mut publisher = hub.publish(&grant)?;
//! publisher.announce(true, false); // audio, no video: viewers do not wait for a second track
//! publisher.push(frame());
//!
//! let stream = hub.play(&PlayGrant::for_job(&name, "hello"), Duration::from_secs(5)).await?;
//! let mut viewer = stream.subscribe(Start::Key);
//! let entry = viewer.next().await.expect("the stream is on air");
//! assert_eq!(&entry.frame.data[..], b"opus");
//!
//! // The name is in use until the publisher is dropped.
//! assert!(hub.publish(&grant).is_err());
//! drop(publisher);
//! assert!(hub.publish(&grant).is_ok());
//! # Ok(())
//! # }
//! ```

mod audio_level;
mod client_table;
pub mod clients;
mod clock;
mod derived;
mod error;
pub mod events;
mod frame_entry;
mod keys;
pub mod meter;
mod notes;
mod origin;
mod phase;
pub mod publisher;
mod publisher_state;
mod registry;
pub mod ring;
mod stand_in;
pub mod stream;
mod viewer_count;
mod waiting;
mod watcher;

pub use client_table::ClientGroup;
pub use clients::{Client, ClientHandle, Clients};
pub use error::{PlayError, PublishError};
pub use events::{Happened, HlsSegment, HubEvent, HubEvents, NextEvent};
pub use frame_entry::{FrameEntry, Subscriber};
pub use keys::Demand;
pub use notes::{Fields, Note};
pub use origin::Origin;
pub use publisher::Publisher;
pub use publisher_state::PublisherKind;
pub use registry::{Hub, HubConfig};
pub use ring::Start;
pub use stand_in::StandIn;
pub use stream::{Stream, StreamStats};
pub use watcher::StreamWatcher;

pub use crate::core::client::{Act, ClientInfo, Identity};
pub use crate::core::name::{NameError, StreamName};

#[cfg(test)]
mod tests;
