//! The rules and the streams of the pulls.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::rule::Rule;
use super::status::{PullStatus, SharedStatus};
use crate::core::hub::StreamName;

/// A pull as the API lists it.
#[derive(Debug, Clone)]
pub struct PullInfo {
    /// The id, new on every start of the gateway.
    pub id: u64,
    /// Whether it is one of the settings; else it is one of the API.
    pub is_set: bool,
    /// The pattern of the streams.
    pub streams: String,
    /// The address without its key.
    pub from: String,
    /// Whether the stream is pulled at all times.
    pub always: bool,
    /// The streams that are being pulled.
    pub sources: Vec<PullStatus>,
}

/// A rule in use.
#[derive(Debug)]
pub(super) struct Known {
    pub(super) id: u64,
    pub(super) is_set: bool,
    pub(super) rule: Arc<Rule>,
}

/// A pulled stream: its job, the id of its rule, and its state.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) job: u64,
    pub(super) rule: u64,
    pub(super) status: Arc<SharedStatus>,
}

/// What changes.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) last_id: u64,
    /// Those of the settings in their order, then those of the API.
    pub(super) rules: Vec<Known>,
    pub(super) running: BTreeMap<StreamName, Running>,
}
