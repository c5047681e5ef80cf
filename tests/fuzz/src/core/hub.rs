//! `gateway::core::hub`, as far as the protocols name it.

#[path = "../../../../gateway/src/core/hub/name.rs"]
mod name;
pub use name::{NameError, StreamName};
