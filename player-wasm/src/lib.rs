//! The player's core. It converts network bytes to fragmented MP4 for Media Source Extensions, and decides
//! when to play faster or to jump.
//!
//! `source` demuxes, `remux` writes MP4, `pacing` controls the latency, `follow` reads HLS playlists. Only
//! [`engine`], `playlist` and [`border`] contain JavaScript bindings; everything else is plain Rust with native tests.

pub mod border;
pub mod engine;
#[cfg(feature = "ts")]
pub mod follow;
pub mod pacing;
#[cfg(feature = "ts")]
pub mod playlist;
pub mod remux;
pub mod source;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
