//! The parts of `gateway::core::hub` that the protocols refer to.

pub use crate::core::name::{NameError, StreamName};
