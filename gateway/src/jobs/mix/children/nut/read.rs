//! Reads NUT with one stream of raw pictures in I420.

use bytes::{Buf as _, BytesMut};
use media::time::Micros;

use super::fields::{Fields, Invalid};
use super::table::{FrameCode, Main};
use super::{FILE_ID, INDEX, INFO, MAIN, N, STREAM, SYNCPOINT, checksum, flags};
use crate::jobs::mix::Picture;
use crate::jobs::mix::buffers::Buffers;

/// Maximum length in bytes of a packet that is not a frame. ffmpeg's have less than 300 bytes.
const MAX_PACKET: usize = 16 << 10;
/// Number of bytes to ask for when the length is not known. Frame headers and syncpoints are shorter.
const FEW: usize = 16;

/// The result of [`Reader::next`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::jobs::mix::children) enum Event {
    /// A picture with its presentation time.
    Picture(Micros, Picture),
    /// At least this number of bytes is missing.
    Wants(usize),
}

/// A reader for pictures of at most a given size. It never holds more than one picture and a packet.
#[derive(Debug)]
pub(in crate::jobs::mix::children) struct Reader {
    bytes: BytesMut,
    /// The memory of pictures that are no longer used.
    buffers: Buffers,
    most: (u32, u32),
    begun: bool,
    main: Option<Main>,
    stream: Option<Stream>,
    /// The frame whose bytes are being read.
    frame: Option<Micros>,
}

#[derive(Debug)]
struct Stream {
    size: (u32, u32),
    time_base: u64,
    msb_pts_shift: u32,
    /// The time of the last frame or syncpoint, in the stream's time base.
    last_pts: i64,
}

impl Stream {
    /// Reads a syncpoint: the time from which the next frames' times are computed.
    fn syncpoint(&mut self, main: &Main, fields: &mut Fields<'_>) -> Result<(), Invalid> {
        let time = fields.need()?;
        let count = main.time_bases.len() as u64;
        self.last_pts = main.rescale(time / count, time % count, self.time_base)?;
        Ok(())
    }
}

impl Reader {
    /// Creates a reader for pictures of at most `most` (width, height).
    pub(in crate::jobs::mix::children) fn new(most: (u32, u32)) -> Self {
        let buffers = Buffers::default();
        Self { bytes: BytesMut::new(), buffers, most, begun: false, main: None, stream: None, frame: None }
    }

    /// Returns the buffer, to which new bytes are appended.
    pub(in crate::jobs::mix::children) fn buffer(&mut self) -> &mut BytesMut {
        &mut self.bytes
    }

    /// Reads the next picture.
    ///
    /// # Errors
    /// The bytes are no NUT, or no pictures as announced. The stream cannot be read further.
    pub(in crate::jobs::mix::children) fn next(&mut self) -> Result<Event, Invalid> {
        if !self.begun {
            if self.bytes.len() < FILE_ID.len() {
                return Ok(Event::Wants(FILE_ID.len() - self.bytes.len()));
            }
            if !self.bytes.starts_with(FILE_ID) {
                return Err(Invalid("no NUT file"));
            }
            self.bytes.advance(FILE_ID.len());
            self.begun = true;
        }
        loop {
            if let Some(pts) = self.frame {
                return self.picture(pts);
            }
            let done = match self.bytes.first() {
                Some(&N) => self.packet()?,
                Some(_) => self.frame_header()?,
                None => false,
            };
            if !done {
                return Ok(Event::Wants(FEW));
            }
        }
    }

    /// Returns the picture whose header was read, when its bytes are here.
    fn picture(&mut self, pts: Micros) -> Result<Event, Invalid> {
        let (width, height) = self.stream.as_ref().map_or((0, 0), |stream| stream.size);
        let length = Picture::bytes(width, height);
        if self.bytes.len() < length {
            if self.bytes.capacity() < length {
                let mut buffer = self.buffers.next(length);
                buffer.clear();
                buffer.extend_from_slice(&self.bytes);
                self.bytes = buffer;
            }
            return Ok(Event::Wants(length - self.bytes.len()));
        }
        self.frame = None;
        // Bytes after the picture are copied: a picture has its memory alone, so that it can be used again.
        let rest = BytesMut::from(&self.bytes[length..]);
        self.bytes.truncate(length);
        let data = std::mem::replace(&mut self.bytes, rest).freeze();
        self.buffers.keep(data.clone());
        let picture = Picture::new(width, height, data).ok_or(Invalid("size of a picture"))?;
        Ok(Event::Picture(pts, picture))
    }

    /// Reads a packet that begins with a start code. Returns false if it is not complete.
    fn packet(&mut self) -> Result<bool, Invalid> {
        let mut fields = Fields::new(&self.bytes);
        let Some(startcode) = fields.u64() else { return Ok(false) };
        let Some(forward) = fields.v()? else { return Ok(false) };
        let forward = usize::try_from(forward).unwrap_or(usize::MAX);
        if !(4..=MAX_PACKET).contains(&forward) {
            return Err(Invalid("length of a packet"));
        }
        if forward > 4096 && fields.u32().is_none() {
            return Ok(false);
        }
        let begin = fields.position();
        let Some(packet) = self.bytes.get(begin..begin + forward) else { return Ok(false) };
        let (content, sum) = packet.split_at(forward - 4);
        if checksum(content).to_be_bytes() != sum {
            return Err(Invalid("checksum of a packet"));
        }
        let mut content = Fields::new(content);
        match startcode {
            MAIN if self.main.is_none() => self.main = Some(Main::read(&mut content)?),
            STREAM if self.stream.is_none() => self.stream = Some(self.stream_header(&mut content)?),
            SYNCPOINT => {
                let (Some(main), Some(stream)) = (&self.main, &mut self.stream) else {
                    return Err(Invalid("a syncpoint before the headers"));
                };
                stream.syncpoint(main, &mut content)?;
            }
            // Headers may be repeated.
            MAIN | STREAM | INFO | INDEX => {}
            _ => return Err(Invalid("start code")),
        }
        self.bytes.advance(begin + forward);
        Ok(true)
    }

    fn stream_header(&self, fields: &mut Fields<'_>) -> Result<Stream, Invalid> {
        let main = self.main.as_ref().ok_or(Invalid("a stream before the main header"))?;
        let (_id, class) = (fields.need()?, fields.need()?);
        let fourcc = fields.need_bytes()?;
        if class != 0 || fourcc != b"I420" {
            return Err(Invalid("kind of stream"));
        }
        let time_base = fields.need()?;
        let msb_pts_shift = fields.need()?;
        let (_distance, _delay, _flags) = (fields.need()?, fields.need()?, fields.need()?);
        let _description = fields.need_bytes()?;
        let (width, height) = (fields.need()?, fields.need()?);
        let fits = |value: u64, most: u32| u32::try_from(value).ok().filter(|&value| value <= most);
        let (Some(width), Some(height)) = (fits(width, self.most.0), fits(height, self.most.1)) else {
            return Err(Invalid("size of the stream"));
        };
        let valid = width > 0 && height > 0 && width.is_multiple_of(2) && height.is_multiple_of(2);
        if !valid || time_base >= main.time_bases.len() as u64 || msb_pts_shift > 32 {
            return Err(Invalid("stream header"));
        }
        Ok(Stream { size: (width, height), time_base, msb_pts_shift: msb_pts_shift as u32, last_pts: 0 })
    }

    /// Reads a frame's header. Returns false if it is not complete.
    fn frame_header(&mut self) -> Result<bool, Invalid> {
        let (Some(main), Some(stream)) = (&self.main, &mut self.stream) else {
            return Err(Invalid("a frame before the headers"));
        };
        let Some(header) = FrameHeader::read(&self.bytes, main)? else { return Ok(false) };
        let (width, height) = stream.size;
        if header.stream != 0 || header.size != Picture::bytes(width, height) as u64 {
            return Err(Invalid("length of a picture"));
        }
        let pts = match header.coded_pts {
            None => stream.last_pts.checked_add(header.pts_delta),
            Some(coded) => absolute(coded, stream.msb_pts_shift, stream.last_pts),
        };
        let pts = pts.ok_or(Invalid("time of a picture"))?;
        stream.last_pts = pts;
        self.frame = Some(main.micros(pts, stream.time_base)?);
        self.bytes.advance(header.length);
        Ok(true)
    }
}

/// Returns the time that `coded` stands for: its low bits, or the whole plus 2^shift.
fn absolute(coded: u64, shift: u32, last: i64) -> Option<i64> {
    let coded = i64::try_from(coded).ok()?;
    let range = 1i64 << shift;
    if coded >= range {
        return Some(coded - range);
    }
    let mask = range - 1;
    let delta = last.checked_sub(mask / 2)?;
    (coded.wrapping_sub(delta) & mask).checked_add(delta)
}

/// The fields of a frame's header.
struct FrameHeader {
    stream: u64,
    coded_pts: Option<u64>,
    pts_delta: i64,
    size: u64,
    /// Length of this header in bytes.
    length: usize,
}

impl FrameHeader {
    /// Returns `None` if the bytes end before the header does.
    fn read(bytes: &[u8], main: &Main) -> Result<Option<Self>, Invalid> {
        let mut fields = Fields::new(bytes);
        /// Returns the value, or returns from the function if it is not here yet.
        macro_rules! wait {
            ($value:expr) => {
                match $value {
                    Some(value) => value,
                    None => return Ok(None),
                }
            };
        }
        let code: FrameCode = main.codes[usize::from(wait!(fields.u8()))];
        let mut set = code.flags;
        if set & flags::INVALID != 0 {
            return Err(Invalid("frame code"));
        }
        if set & flags::CODED != 0 {
            set ^= wait!(fields.v()?);
        }
        let has = |flag: u64| set & flag != 0;
        // Elided beginnings and side data do not occur in raw pictures.
        if has(flags::SIDE_DATA) {
            return Err(Invalid("side data"));
        }
        let stream = if has(flags::STREAM_ID) { wait!(fields.v()?) } else { code.stream };
        let coded_pts = if has(flags::CODED_PTS) { Some(wait!(fields.v()?)) } else { None };
        let msb = if has(flags::SIZE_MSB) { wait!(fields.v()?) } else { 0 };
        if has(flags::MATCH_TIME) {
            wait!(fields.v()?);
        }
        let elided = if has(flags::HEADER_IDX) { wait!(fields.v()?) } else { code.header_idx };
        if elided != 0 {
            return Err(Invalid("elided header"));
        }
        let reserved = if has(flags::RESERVED) { wait!(fields.v()?) } else { code.reserved };
        if reserved > FEW as u64 {
            return Err(Invalid("reserved fields"));
        }
        for _ in 0..reserved {
            wait!(fields.v()?);
        }
        if has(flags::CHECKSUM) {
            let end = fields.position();
            if wait!(fields.u32()) != checksum(&bytes[..end]) {
                return Err(Invalid("checksum of a frame"));
            }
        }
        let size = msb.checked_mul(code.size_mul).and_then(|size| size.checked_add(code.size_lsb));
        let size = size.ok_or(Invalid("length of a frame"))?;
        let (pts_delta, length) = (code.pts_delta, fields.position());
        Ok(Some(Self { stream, coded_pts, pts_delta, size, length }))
    }
}
