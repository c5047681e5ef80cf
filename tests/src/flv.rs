//! FLV for tests: tags, parsed no further than needed. Independent of `media` on purpose.

/// One FLV tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tag {
    /// 8 audio, 9 video, 18 script.
    pub kind: u8,
    /// Timestamp in milliseconds.
    pub time: u32,
    /// The bytes between the tag's header and the size after it.
    pub body: Vec<u8>,
}

/// Tag type of audio.
pub const AUDIO: u8 = 8;
/// Tag type of video.
pub const VIDEO: u8 = 9;
/// Tag type of metadata.
pub const SCRIPT: u8 = 18;

impl Tag {
    /// Returns whether this contains a frame: not metadata, a sequence header, or an end of sequence.
    pub fn is_frame(&self) -> bool {
        let second = self.body.get(1).copied();
        match (self.kind, self.body.first()) {
            // Enhanced: the low four bits are the packet type; 1 and 3 are coded frames.
            (VIDEO, Some(first)) if first & 0x80 != 0 => matches!(first & 0x0f, 1 | 3),
            (VIDEO, Some(first)) if first & 0x0f == 7 => second == Some(1),
            (AUDIO, Some(first)) if first >> 4 == 9 => matches!(first & 0x0f, 1),
            (AUDIO, Some(first)) if first >> 4 == 10 => second == Some(1),
            (VIDEO | AUDIO, Some(_)) => true,
            _ => false,
        }
    }

    /// Returns a frame's composition time in milliseconds and its encoded bytes.
    pub fn frame(&self) -> (i32, &[u8]) {
        let first = self.body[0];
        let composition = |at: usize| {
            let bytes = &self.body[at..at + 3];
            i32::from_be_bytes([bytes[0], bytes[1], bytes[2], 0]) >> 8
        };
        match self.kind {
            VIDEO if first & 0x8f == 0x81 && matches!(&self.body[1..5], b"hvc1" | b"avc1") => {
                (composition(5), &self.body[8..])
            }
            VIDEO if first & 0x80 != 0 => (0, &self.body[5..]),
            VIDEO if first & 0x0f == 7 => (composition(2), &self.body[5..]),
            AUDIO if first >> 4 == 9 => (0, &self.body[5..]),
            AUDIO if first >> 4 == 10 => (0, &self.body[2..]),
            _ => (0, &self.body[1..]),
        }
    }

    /// Returns whether decoding may start here: a video frame with the key frame flag.
    pub fn is_key(&self) -> bool {
        self.kind == VIDEO && self.is_frame() && self.body[0] >> 4 & 7 == 1
    }

    /// Returns the tag with its header and the size after it.
    pub fn bytes(&self) -> Vec<u8> {
        let size = (self.body.len() as u32).to_be_bytes();
        let time = self.time.to_be_bytes();
        let mut out = vec![self.kind, size[1], size[2], size[3], time[1], time[2], time[3], time[0], 0, 0, 0];
        out.extend_from_slice(&self.body);
        out.extend_from_slice(&(self.body.len() as u32 + 11).to_be_bytes());
        out
    }
}

/// Parses an FLV byte stream incrementally.
#[derive(Debug, Default)]
pub struct Reader {
    bytes: Vec<u8>,
    /// The flags of the file header, once received: bit 2 audio, bit 0 video.
    pub flags: Option<u8>,
}

impl Reader {
    /// Adds bytes and returns the tags that are complete now. Panics if the stream is not FLV.
    #[track_caller]
    pub fn push(&mut self, bytes: &[u8]) -> Vec<Tag> {
        self.bytes.extend_from_slice(bytes);
        let mut tags = Vec::new();
        let mut at = 0;
        if self.flags.is_none() {
            if self.bytes.len() < 13 {
                return tags;
            }
            assert_eq!(&self.bytes[..4], b"FLV\x01", "an FLV file header");
            assert_eq!(&self.bytes[5..13], [0, 0, 0, 9, 0, 0, 0, 0], "an FLV file header");
            self.flags = Some(self.bytes[4]);
            at = 13;
        }
        while let Some(head) = self.bytes.get(at..at + 11) {
            let size = u32::from_be_bytes([0, head[1], head[2], head[3]]) as usize;
            let time = u32::from_be_bytes([head[7], head[4], head[5], head[6]]);
            let Some(rest) = self.bytes.get(at + 11..at + 15 + size) else { break };
            let (body, back) = rest.split_at(size);
            assert!(matches!(head[0], AUDIO | VIDEO | SCRIPT), "tag type {} at {at}", head[0]);
            assert_eq!(back, (size as u32 + 11).to_be_bytes(), "PreviousTagSize");
            tags.push(Tag { kind: head[0], time, body: body.to_vec() });
            at += 15 + size;
        }
        self.bytes.drain(..at);
        tags
    }
}

/// Returns flags and tags of an FLV file.
#[track_caller]
pub fn read(bytes: &[u8]) -> (u8, Vec<Tag>) {
    let mut reader = Reader::default();
    let tags = reader.push(bytes);
    (reader.flags.expect("a whole file header"), tags)
}

/// Repeats the tags `times` times, with times that continue after `period` ms each.
///
/// Metadata and sequence headers are repeated too, like an encoder that restarts.
pub fn repeat(tags: &[Tag], times: u32, period: u32) -> Vec<Tag> {
    let turn = |n| tags.iter().map(move |tag| Tag { time: tag.time + n * period, ..tag.clone() });
    (0..times).flat_map(turn).collect()
}

/// An FLV file header.
pub fn header(flags: u8) -> [u8; 13] {
    [b'F', b'L', b'V', 1, flags, 0, 0, 0, 9, 0, 0, 0, 0]
}
