//! Assembles access units from the pieces that encoders send.
//!
//! Most encoders send one access unit in one RTMP message, FLV tag or PES packet. Some send every NAL unit
//! separately: the slices, the SEI, the delimiter. [`Assembler`] joins them to one access unit.
//!
//! A stream that sends whole access units gets no extra delay: after the first one, each is passed on
//! immediately. The first access unit, and every one of a stream that splits them, waits for the piece that
//! proves its end, most often the first piece of the next access unit. A caller with a clock limits that wait
//! with [`Assembler::flush`].

mod slice;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use self::slice::{Class, Joint, Slice, Syntax, class};
use super::nal::{EntryPoint, length_prefixed, push_length_prefixed};
use super::{h264, h265};
use crate::config::{Codec, Config};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Micros;

/// Maximum size in bytes of an access unit of several pieces; more is an error.
pub const MAX_BYTES: usize = 16 << 20;
/// Maximum number of pieces in an access unit: a level 5.1 picture has fewer slices.
pub const MAX_PIECES: usize = 4096;
/// Maximum number of bytes of SEI and similar NAL units that wait for their picture.
pub const MAX_WAITING_BYTES: usize = 64 << 10;

/// The NAL units of one message, tag or PES packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The current configuration: H.264 or H.265.
    pub config: Arc<Config>,
    /// Decode time.
    pub dts: Micros,
    /// Presentation time.
    pub pts: Micros,
    /// Whether the container marks it as a key frame.
    pub flagged: bool,
    /// NAL units with 4-byte lengths, without parameter sets.
    pub data: Bytes,
}

/// A whole access unit, with the times and the configuration of its first piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// All its NAL units.
    pub piece: Piece,
    /// Whether decoding may start here.
    pub entry: EntryPoint,
}

/// The encoder's way of splitting access units, as far as it is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// No whole access unit has arrived yet.
    Unknown,
    /// One piece is one access unit.
    Whole,
    /// Access units have several pieces.
    Split,
}

/// An access unit that is not passed on yet.
#[derive(Debug)]
struct Picture {
    piece: Piece,
    /// The joined bytes, if there is more than one piece.
    joined: Vec<u8>,
    /// NAL units that arrived late and belong before the slices. They are inserted once, at the end:
    /// inserting each of them would move a large picture many times.
    front: Vec<u8>,
    pieces: usize,
    last: Slice,
    /// The received fields of an interlaced picture: bit 0 top, bit 1 bottom.
    fields: u8,
}

impl Picture {
    fn append(&mut self, data: &[u8], in_front: bool) -> Result<()> {
        let codec = self.piece.config.codec;
        let size = self.joined.len().max(self.piece.data.len()) + self.front.len();
        if self.pieces >= MAX_PIECES || size + data.len() > MAX_BYTES {
            return Err(Error::new(codec.name(), 0, ErrorKind::TooLarge("access unit")));
        }
        self.pieces += 1;
        if in_front {
            self.front.extend_from_slice(data);
            return Ok(());
        }
        if self.joined.is_empty() {
            self.joined = self.piece.data.to_vec();
        }
        self.joined.extend_from_slice(data);
        Ok(())
    }

    /// Joins all parts.
    fn whole(self) -> (Piece, Slice) {
        let Self { mut piece, mut joined, front, last, .. } = self;
        if !front.is_empty() {
            if joined.is_empty() {
                joined = piece.data.to_vec();
            }
            let at = after_delimiter(piece.config.codec, &joined);
            joined.splice(at..at, front);
        }
        if !joined.is_empty() {
            piece.data = joined.into();
        }
        (piece, last)
    }

    /// Returns whether one field is there and the other may follow.
    const fn is_half(&self) -> bool {
        matches!(self.fields, 1 | 2)
    }
}

/// Assembles access units from pieces. It does no I/O and has no clock.
#[derive(Debug)]
pub struct Assembler {
    habit: Habit,
    /// NAL units that belong before, and after, the slices of the next picture.
    before: Vec<u8>,
    behind: Vec<u8>,
    picture: Option<Picture>,
    /// Last slice and time of the access unit that was passed on last.
    passed: Option<(Slice, Micros)>,
    /// The start of an access unit was lost, so its other pieces are dropped.
    torn: bool,
    syntax: Syntax,
    ready: VecDeque<AccessUnit>,
}

impl Assembler {
    /// Creates an assembler for an unknown source. It holds the first access unit back to learn how the
    /// source splits them.
    pub fn learning() -> Self {
        Self::new(Habit::Unknown)
    }

    /// Creates an assembler for a source that is expected to send whole access units. Nothing waits until one
    /// arrives in pieces; of that one, only the first piece is passed on.
    pub fn trusting() -> Self {
        Self::new(Habit::Whole)
    }

    fn new(habit: Habit) -> Self {
        Self {
            habit,
            before: Vec::new(),
            behind: Vec::new(),
            picture: None,
            passed: None,
            torn: false,
            syntax: Syntax::default(),
            ready: VecDeque::new(),
        }
    }

    /// Adds the next piece, in decode order. Call [`Assembler::next`] until it returns `None` before the next
    /// push.
    ///
    /// # Errors
    /// A piece that exceeds the limits, or belongs to an access unit that was passed on. The piece is
    /// dropped.
    pub fn push(&mut self, piece: Piece) -> Result<()> {
        match self.syntax.first_slice(&piece) {
            Some(slice) => self.push_slices(piece, slice),
            None => self.push_other(&piece),
        }
    }

    /// Returns the next whole access unit.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: none is not the end")]
    pub fn next(&mut self) -> Option<AccessUnit> {
        self.ready.pop_front()
    }

    /// Returns whether an access unit waits for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.picture.is_some()
    }

    /// Marks the waiting access unit as whole, for example because parameter sets follow.
    pub fn end(&mut self) {
        if self.picture.is_some() && self.habit == Habit::Unknown {
            self.habit = Habit::Whole;
        }
        self.flush();
    }

    /// Passes on the waiting access unit: nothing more arrives, or not in time.
    pub fn flush(&mut self) {
        let Some(mut picture) = self.picture.take() else { return };
        if !self.behind.is_empty() {
            let behind = std::mem::take(&mut self.behind);
            // Units that exceed the limit are dropped: decoding does not need them.
            let _ = picture.append(&behind, false);
        }
        let (piece, last) = picture.whole();
        let entry = entry_point(piece.config.codec, &piece.data);
        self.passed = Some((last, piece.dts));
        self.ready.push_back(AccessUnit { piece, entry });
    }

    /// Reports lost bytes: the waiting access unit is incomplete.
    pub fn lost(&mut self) {
        self.picture = None;
        self.passed = None;
        self.torn = true;
        self.before.clear();
        self.behind.clear();
    }

    fn push_slices(&mut self, piece: Piece, slice: Slice) -> Result<()> {
        if let Some(picture) = &mut self.picture {
            let joint = slice.joint(&picture.last, piece.dts - picture.piece.dts);
            if joint != Joint::None && picture.piece.config.codec == piece.config.codec {
                picture.append(&piece.data, false)?;
                picture.last = slice;
                picture.fields |= slice.fields;
                if joint == Joint::Slice {
                    self.habit = Habit::Split;
                } else if self.habit == Habit::Whole {
                    self.flush();
                }
                return Ok(());
            }
            self.end();
        } else if let Some((last, dts)) = &self.passed
            && slice.joint(last, piece.dts - dts) == Joint::Slice
        {
            self.habit = Habit::Split;
            let name = piece.config.codec.name();
            return Err(Error::invalid(name, 0, "slice after its picture was passed on"));
        } else if self.torn && !slice.first {
            return Ok(());
        }
        self.torn = false;
        self.begin(piece, slice);
        Ok(())
    }

    fn begin(&mut self, mut piece: Piece, slice: Slice) {
        if !self.before.is_empty() {
            let mut data = piece.data.to_vec();
            let at = after_delimiter(piece.config.codec, &data);
            data.splice(at..at, self.before.drain(..));
            piece.data = data.into();
        }
        let picture = Picture {
            piece,
            joined: Vec::new(),
            front: Vec::new(),
            pieces: 1,
            last: slice,
            fields: slice.fields,
        };
        let waits = self.habit != Habit::Whole || picture.is_half();
        self.picture = Some(picture);
        if !waits {
            self.flush();
        }
    }

    /// Adds a piece without a slice.
    fn push_other(&mut self, piece: &Piece) -> Result<()> {
        let codec = piece.config.codec;
        for nal in length_prefixed(&piece.data) {
            match class(codec, nal) {
                Class::Before => self.push_before(piece, nal)?,
                Class::Behind => self.push_behind(piece, nal)?,
                Class::Delimiter | Class::End => self.end(),
                Class::Slice | Class::Drop => {}
            }
        }
        Ok(())
    }

    fn push_before(&mut self, piece: &Piece, nal: &[u8]) -> Result<()> {
        let mut unit = Vec::with_capacity(nal.len() + 4);
        push_length_prefixed(&mut unit, nal);
        match &mut self.picture {
            Some(picture) if picture.piece.dts == piece.dts => {
                self.habit = Habit::Split;
                return picture.append(&unit, true);
            }
            Some(_) => self.end(),
            // The unit belongs to an access unit that was passed on already. From now on access units wait
            // for such units.
            None if self.passed.is_some_and(|(_, dts)| dts == piece.dts) => self.habit = Habit::Split,
            None => {}
        }
        keep(codec_name(piece), &mut self.before, &unit)
    }

    fn push_behind(&mut self, piece: &Piece, nal: &[u8]) -> Result<()> {
        let mut unit = Vec::with_capacity(nal.len() + 4);
        push_length_prefixed(&mut unit, nal);
        if self.picture.is_some() || self.passed.is_some() {
            self.habit = Habit::Split;
        }
        match &mut self.picture {
            Some(picture) => picture.append(&unit, false),
            None => keep(codec_name(piece), &mut self.behind, &unit),
        }
    }
}

fn codec_name(piece: &Piece) -> &'static str {
    piece.config.codec.name()
}

fn keep(codec: &'static str, waiting: &mut Vec<u8>, unit: &[u8]) -> Result<()> {
    if waiting.len() + unit.len() > MAX_WAITING_BYTES {
        return Err(Error::new(codec, 0, ErrorKind::TooLarge("SEI that waits for its picture")));
    }
    waiting.extend_from_slice(unit);
    Ok(())
}

/// Returns where NAL units that precede the slices are inserted: a delimiter has to stay first.
fn after_delimiter(codec: Codec, data: &[u8]) -> usize {
    match length_prefixed(data).next() {
        Some(nal) if class(codec, nal) == Class::Delimiter => 4 + nal.len(),
        _ => 0,
    }
}

fn entry_point(codec: Codec, data: &[u8]) -> EntryPoint {
    if codec == Codec::H265 { h265::entry_point(data) } else { h264::entry_point(data) }
}
