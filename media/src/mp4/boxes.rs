//! Writes boxes whose size is known only when they are closed.

/// Begins a box. Pass the return value to [`close`].
pub(super) fn open(out: &mut Vec<u8>, kind: &[u8; 4]) -> usize {
    let at = out.len();
    u32(out, 0);
    out.extend_from_slice(kind);
    at
}

/// Begins a full box with a version and flags.
pub(super) fn open_full(out: &mut Vec<u8>, kind: &[u8; 4], version: u8, flags: u32) -> usize {
    let at = open(out, kind);
    u32(out, u32::from(version) << 24 | flags);
    at
}

/// Ends the box that begins at `at`.
pub(super) fn close(out: &mut [u8], at: usize) {
    let size = (out.len() - at) as u32;
    out[at..at + 4].copy_from_slice(&size.to_be_bytes());
}

/// Writes a complete box.
pub(super) fn whole(out: &mut Vec<u8>, kind: &[u8; 4], content: &[u8]) {
    let at = open(out, kind);
    out.extend_from_slice(content);
    close(out, at);
}

pub(super) fn u16(out: &mut Vec<u8>, value: u16) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn u32(out: &mut Vec<u8>, value: u32) {
    out.extend_from_slice(&value.to_be_bytes());
}

pub(super) fn zeros(out: &mut Vec<u8>, count: usize) {
    out.resize(out.len() + count, 0);
}
