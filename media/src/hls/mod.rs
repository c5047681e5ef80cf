//! HTTP Live Streaming (RFC 8216): playlists, and cutting a stream into segments.

pub mod playlist;

const FORMAT: &str = "hls";
