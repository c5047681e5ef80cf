//! `gateway::http`: the inspection of a connection's first request.

#[path = "../../../gateway/src/http/plain.rs"]
mod plain;

/// Inspects the first bytes of a connection.
pub fn head(bytes: &[u8]) {
    let Some(request) = plain::parse(bytes) else { return };
    assert!(bytes.starts_with(b"GET /") || bytes.trim_ascii_start().starts_with(b"GET /"));
    assert!(bytes.ends_with(b"\n"), "nothing may follow the head");
    let path = request.uri().path();
    assert!(path.starts_with('/') && path.ends_with(".flv"), "{path:?}");
    assert!(request.uri().host().is_none());
    let headers = request.headers();
    assert_eq!(headers.get_all("host").iter().count(), 1);
    for name in ["upgrade", "content-length", "transfer-encoding"] {
        assert!(!headers.contains_key(name), "{name}");
    }
}
