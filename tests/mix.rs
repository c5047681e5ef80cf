//! Mixes: what they show and play, changes while they run, killed child processes, the load, the API, and rooms that go live.

#[path = "mix/analysis.rs"]
mod analysis;
#[path = "mix/api.rs"]
mod api;
#[path = "mix/changes.rs"]
mod changes;
#[path = "mix/children.rs"]
mod children;
#[path = "mix/content.rs"]
mod content;
#[path = "mix/kit.rs"]
mod kit;
#[path = "mix/load.rs"]
mod load;
#[path = "mix/room.rs"]
mod room;
#[path = "mix/sync.rs"]
mod sync;
