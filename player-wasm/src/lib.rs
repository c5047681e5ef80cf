//! The player's core: network bytes in, fragmented MP4 for Media Source Extensions out, and when to
//! play faster or to jump. Everything but the bindings of [`engine`] and `playlist` is plain Rust, tested natively.

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
