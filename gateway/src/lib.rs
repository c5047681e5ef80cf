//! The Lianmai gateway: a hub of live streams, and one edge per protocol around it.
//!
//! # Where to begin
//!
//! Read the modules in this order. Each begins with a paragraph that says what it does and where to start.
//!
//! 1. [`core`]: the parts without a protocol. [`core::hub`] holds the live streams and passes frames from a
//!    publisher to its viewers. [`core::admission`] decides which clients may publish or play;
//!    [`core::auth`] checks their secrets and tokens.
//! 2. [`edges`]: one folder per protocol (RTMP, FLV, HLS, WebRTC). An edge converts network bytes to frames
//!    for the hub, and frames to network bytes. The formats themselves are in the crate `media`.
//! 3. [`derive`]: derived streams, which are made once for all viewers that need them: converted packets,
//!    transcoded audio, reordered video.
//! 4. [`service`]: the traits `Service` and `Job`, through which an edge or a background task becomes a part
//!    of the gateway. [`jobs`] runs the background tasks.
//! 5. [`serve`]: assembles everything and runs it. This is `lianmai serve`.
//! 6. [`http`]: serves all HTTP connections, the pages and the player. [`api`] is the HTTP API, [`web`] the
//!    helpers that all HTTP code shares.
//!    [`hooks`] asks and tells the operator's back end about clients, [`metering`] logs their sessions.
//! 7. [`net`]: network threads, sockets and TLS; [`mod@rtmp`]: chunks and messages for server and client; [`remote`]:
//!    connections to other servers; [`store`]: the object store, [`cdn`]: signed addresses. They are below all of the above.
//! 8. [`settings`], [`flags`] and [`limits`]: the operator's settings. Each part keeps its own settings struct in
//!    its folder; `settings` puts them together.
//! 9. [`context`], [`log`], [`metrics`] and [`secret_file`]: the state that all edges share, and the log, metrics
//!    and secret files.
//!
//! # The way of a frame
//!
//! An edge reads a frame from a publisher's connection and calls `Publisher::push`. The hub maps its times to
//! the stream's clock and appends it to the stream's ring. Viewers read the ring through a cursor, directly
//! or through a derived stream, and their edge writes the bytes to their connections. No frame is copied.

pub mod api;
pub mod cdn;
pub mod cluster;
pub mod context;
pub mod core;
pub mod derive;
pub mod edges;
pub mod flags;
pub mod hooks;
pub mod http;
pub mod jobs;
pub mod limits;
pub mod log;
pub mod metering;
pub mod metrics;
pub mod net;
pub mod remote;
pub mod rooms;
mod rtc;
pub mod rtmp;
pub mod secret_file;
pub mod serve;
pub mod service;
pub mod settings;
pub mod store;
pub mod web;
