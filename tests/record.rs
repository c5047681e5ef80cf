//! Recordings: their content, killed gateways, full disks, the API, and how they are served.

#[path = "record/api.rs"]
mod api;
#[path = "record/content.rs"]
mod content;
#[path = "record/crash.rs"]
mod crash;
#[path = "record/disk.rs"]
mod disk;
#[path = "record/kit.rs"]
mod kit;
#[path = "record/serve.rs"]
mod serve;
