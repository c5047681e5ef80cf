//! The snapshot service.

use std::sync::Arc;

use super::{ENDING, Snapshots};
use crate::service::{Gateway, PeerRequest, Routes, Service, StartError};

/// The snapshot service.
#[derive(Debug, Default)]
pub struct SnapshotService;

impl Service for SnapshotService {
    fn start(&mut self, gateway: &Gateway, routes: &mut Routes) -> Result<(), StartError> {
        let snapshots = Arc::new(Snapshots::new(gateway.context.clone()));
        routes.add_streams(
            |path| path.ends_with(ENDING),
            move |PeerRequest { peer, request }| {
                let snapshots = snapshots.clone();
                async move { snapshots.serve(peer, request).await }
            },
        );
        Ok(())
    }
}
