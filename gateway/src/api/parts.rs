//! The parts of the gateway that the API lists and controls.

use super::ReloadDesk;
use crate::cdn::Cdn;
use crate::cluster::LateCluster;
use crate::hooks::Hooks;
use crate::jobs::Jobs;
use crate::jobs::forward::LateForwards;
use crate::jobs::mix::Mixes;
use crate::jobs::pull::LatePulls;
use crate::jobs::record::Records;
use crate::metering::LateSessionLog;
use crate::store::Store;

/// The parts of the gateway that the API lists and controls. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct ApiParts {
    /// The jobs.
    pub jobs: Jobs,
    /// The mixes.
    pub mixes: Mixes,
    /// The recordings.
    pub records: Records,
    /// The hooks.
    pub hooks: Hooks,
    /// The log of ended sessions.
    pub sessions: LateSessionLog,
    /// The forwards, once they are started.
    pub forwards: LateForwards,
    /// The pulls, once they are started.
    pub pulls: LatePulls,
    /// Takes requests to read the settings again.
    pub reload: ReloadDesk,
    /// The cluster, if the gateway belongs to one.
    pub cluster: LateCluster,
    /// The CDN, if there is one.
    pub cdn: Option<Cdn>,
    /// The object store, if there is one.
    pub store: Option<Store>,
}
