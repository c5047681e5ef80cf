//! Changes the message stream of a stream's RTMP bytes.

use bytes::Bytes;

use crate::rtmp::chunk::{ChunkError, ChunkReader};
use crate::rtmp::message::Writer;

/// Maximum size of a message: FLV's.
const MAX_MESSAGE: usize = 16 << 20;

/// Rewrites messages for a server that has given the stream another id than the one in the shared bytes. Nearly all
/// servers give 1, where this is not needed.
#[derive(Debug)]
pub(super) struct Rechunk {
    reader: ChunkReader,
    writer: Writer,
    stream: u32,
}

impl Rechunk {
    pub(super) fn new(stream: u32) -> Self {
        let mut announced = Vec::new();
        Writer::new().announce_chunk_size(&mut announced);
        let mut reader = ChunkReader::new(MAX_MESSAGE);
        // The reader takes the chunk size from the announcement, which is complete and valid.
        let _ = reader.read(&mut &announced[..]);
        Self { reader, writer: Writer::announced(), stream }
    }

    /// Returns the same messages on the other message stream.
    ///
    /// # Errors
    /// The bytes are not complete RTMP messages.
    pub(super) fn rewrite(&mut self, bytes: &[u8]) -> Result<Bytes, ChunkError> {
        let (mut input, mut out) = (bytes, Vec::with_capacity(bytes.len() + 64));
        while let Some(message) = self.reader.read(&mut input)? {
            self.writer.write(message.kind, message.timestamp, self.stream, message.payload, &mut out);
        }
        Ok(out.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rtmp::message::{STREAM, kind};

    #[test]
    fn only_the_message_stream_changes() {
        let (mut writer, mut shared) = (Writer::announced(), Vec::new());
        // One of several chunks, and one with an extended timestamp.
        let large = Bytes::from(vec![7; 200_000]);
        writer.write(kind::VIDEO, 40, STREAM, large.clone(), &mut shared);
        writer.write(kind::AUDIO, 0x0200_0000, STREAM, Bytes::from_static(b"a"), &mut shared);
        let rewritten = Rechunk::new(9).rewrite(&shared).unwrap();
        let mut reader = Rechunk::new(0).reader;
        let mut input = &rewritten[..];
        let first = reader.read(&mut input).unwrap().unwrap();
        assert_eq!((first.kind, first.timestamp, first.stream), (kind::VIDEO, 40, 9));
        assert_eq!(first.payload, large);
        let second = reader.read(&mut input).unwrap().unwrap();
        assert_eq!((second.kind, second.timestamp, second.stream), (kind::AUDIO, 0x0200_0000, 9));
        assert!(input.is_empty());
    }
}
