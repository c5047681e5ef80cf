//! Recordings: one file that is a fragmented MP4 while it grows, and an ordinary MP4 afterwards.
//!
//! [`Layout::start`] begins the file, [`Fragmenter`] makes its fragments, and [`EventList`] writes an HLS playlist of
//! byte ranges into the file. At the end, [`Finisher`] makes a `moov` with sample tables for all fragments. The `moov`
//! is appended, and then [`Layout::seal`] replaces 16 bytes at the start. No media are copied, and no byte of the
//! playlist's ranges changes:
//!
//! | while it grows | afterwards | |
//! |---|---|---|
//! | `ftyp` | `ftyp` | |
//! | `free` (with a second `ftyp` in it) | head of `mdat` | 16 bytes, and then the initialisation segment begins |
//! | `moov` without samples | in `mdat` | |
//! | `moof`, `mdat`, … | in `mdat` | the fragments |
//! | | `moov` with sample tables | |

mod finish;
mod fragmenter;
mod layout;
mod list;
mod moof;
#[cfg(test)]
mod tests;

pub use finish::Finisher;
pub use fragmenter::{FRAGMENT, Fragment, Fragmenter};
pub use layout::{LAYOUT_BYTES, Layout};
pub use list::{EventList, MAX_SEGMENT};
