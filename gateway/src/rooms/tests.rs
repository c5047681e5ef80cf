//! Rooms for the tests.

use std::sync::atomic::{AtomicU32, Ordering};

use tokio_util::sync::CancellationToken;

use super::registry::Rooms;
use super::settings::RoomsSettings;
use super::socket::SocketContext;
use crate::context::Context;
use crate::core::auth::Auth;
use crate::jobs::mix::Mixes;
use crate::limits::LimitSettings;

/// Returns rooms without a network.
pub(super) fn rooms(settings: &RoomsSettings) -> Rooms {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let folder = format!("lianmai-rooms-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let data = std::env::temp_dir().join(folder);
    std::fs::create_dir_all(&data).unwrap();
    let context = Context::new(LimitSettings::default(), Auth::default());
    let rooms = Rooms::new(&context, settings, &data, &Mixes::default()).unwrap();
    // The key is in memory now.
    std::fs::remove_dir_all(&data).unwrap();
    rooms
}

/// Returns what a socket needs.
pub(super) fn socket_context() -> SocketContext {
    let context = Context::new(LimitSettings::default(), Auth::default());
    SocketContext {
        rooms: rooms(&RoomsSettings::default()),
        limits: context.limits.clone(),
        stop: CancellationToken::new(),
    }
}
