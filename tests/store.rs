//! CDNs: a cache in front of the gateway; recordings and HLS in an object store; stores that are away, slow or refuse.

#[path = "store/cdn.rs"]
mod cdn;
#[path = "store/hls.rs"]
mod hls;
#[allow(dead_code, reason = "the tests of recordings use the rest")]
#[path = "record/kit.rs"]
mod kit;
#[path = "store/outages.rs"]
mod outages;
#[path = "store/records.rs"]
mod records;
