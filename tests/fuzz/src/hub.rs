//! `gateway::hub`, as far as the protocols name it.

#[path = "../../../gateway/src/hub/name.rs"]
mod name;
pub use name::{NameError, StreamName};
