//! The player's core: network bytes in, fragmented MP4 for Media Source Extensions out, and when to
//! play faster or to jump. Everything but [`engine`]'s bindings is plain Rust, tested natively.

pub mod engine;
pub mod follow;
pub mod pacing;
pub mod remux;
pub mod source;

#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();
