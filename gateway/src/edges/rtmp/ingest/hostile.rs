//! Malformed video messages, for the tests here and for tests that publish them.

/// Video bodies that claim a frame of each codec: FLV's own and enhanced ones.
pub(super) const FRAMES: [&[u8]; 9] = [
    b"\x17\x01\0\0\0",
    b"\x27\x01\0\0\0",
    b"\x1c\x01\0\0\0",
    b"\x91avc1\0\0\0",
    b"\x91hvc1\0\0\0",
    b"\x93hvc1",
    b"\x91av01",
    b"\x91vp08",
    b"\x91vp09",
];

/// Sequence headers that are empty, cut off, without parameter sets, or noise.
pub(super) const HEADERS: [&[u8]; 12] = [
    b"\x17\0\0\0\0",
    b"\x17\0\0\0\0\x01",
    b"\x17\0\0\0\0\x01\x42\xc0\x0a\xfc\xe0\0",
    b"\x17\0\0\0\0\x01\x42\xc0\x0a\xff\xe0\0",
    b"\x17\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\x17\0\0\0\0\x01\x64\0\x1e\xff\xe1\xff\xff\x67",
    b"\x1c\0\0\0\0\x01",
    b"\x1c\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\xf0\0\xfc\xfd\xf8\xf8\0\0\x0c\0",
    b"\x1c\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\xf0\0\xfc\xfd\xf8\xf8\0\0\x0f\0",
    b"\x90hvc1\x01\x02\x03",
    b"\x90av01\0",
    b"\x90vp09",
];

/// Replacements for NAL units or packets. The first is a valid H.264 picture, the last a valid AV1 temporal
/// unit with its sequence header.
pub(super) const DATA: [&[u8]; 11] = [
    b"\0\0\0\x05\x65\x88\x84\0\x10",
    b"",
    b"\0",
    b"\0\0\0\0\0\0\0\0\0\0\0\0",
    &[0; 64],
    &[0xff; 64],
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\0\0\0\x01\x65\x88\x84",
    b"\0\0\x01\x26\x01\xaf",
    b"\x80\0\0\0\x65",
    b"\x0a\x0b\0\0\0\x0c\xc4\xff\x67\0\xbe\0\x10\x32\xff\xff\xff\xff\xff\xff\xff\xff\xff",
];
