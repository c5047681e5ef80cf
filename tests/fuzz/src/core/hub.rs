//! `gateway::core::hub`, as far as the protocols name it.

pub use crate::core::name::{NameError, StreamName};
