//! Access units out of the pieces in which encoders send them.
//!
//! Most encoders send one picture in one RTMP message, FLV tag or PES packet. Some send every NAL unit
//! alone: the slices of a picture, its SEI, its delimiter. [`Assembler`] makes one access unit of them.
//!
//! It costs a whole picture no delay once the stream has shown a picture of one piece: such a picture is passed on
//! at once. The first picture, and every one of a stream that has shown a picture of several pieces, waits for the
//! piece that proves its end, which is most often the next picture's first. Whoever has a clock bounds that wait
//! with [`Assembler::flush`].

mod slice;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;

use self::slice::{Class, Joint, Slice, Syntax, class};
use super::nal::{Entry, length_prefixed, push_length_prefixed};
use super::{h264, h265};
use crate::config::{Codec, Config};
use crate::error::{Error, ErrorKind, Result};
use crate::time::Micros;

/// The most bytes that an access unit of several pieces may have; what goes beyond is refused.
pub const MAX_BYTES: usize = 16 << 20;
/// The most pieces an access unit may have: a level 5.1 picture has fewer slices.
pub const MAX_PIECES: usize = 4096;
/// The most bytes of SEI and the like that wait for their picture.
pub const MAX_WAITING_BYTES: usize = 64 << 10;

/// The NAL units of one message, tag or PES packet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The configuration in force: H.264 or H.265.
    pub config: Arc<Config>,
    /// Decode time.
    pub dts: Micros,
    /// Presentation time.
    pub pts: Micros,
    /// The container says that it is a key frame.
    pub flagged: bool,
    /// NAL units with 4-byte lengths, without parameter sets.
    pub data: Bytes,
}

/// A whole access unit, with the times and the configuration of its first piece.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessUnit {
    /// All its NAL units.
    pub piece: Piece,
    /// What in it lets decoding start there.
    pub entry: Entry,
}

/// What is known of the encoder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Habit {
    /// No whole picture came yet.
    Unknown,
    /// One piece is one picture.
    Whole,
    /// Pictures have several pieces.
    Split,
}

/// A picture that is not passed on yet.
#[derive(Debug)]
struct Picture {
    piece: Piece,
    /// The bytes, from the second piece on.
    joined: Vec<u8>,
    /// NAL units that came later and belong before the slices. They are put there once, at the end: a large
    /// picture would be moved for each of them.
    front: Vec<u8>,
    pieces: usize,
    last: Slice,
    /// The fields of an interlaced picture that are there: bit 0 top, bit 1 bottom.
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

    /// All of it.
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

    /// Whether one field is there and the other may follow.
    const fn is_half(&self) -> bool {
        matches!(self.fields, 1 | 2)
    }
}

/// Makes access units of pieces. Sans-IO: it has no clock.
#[derive(Debug)]
pub struct Assembler {
    habit: Habit,
    /// NAL units that belong before, and behind, the slices of the next picture.
    before: Vec<u8>,
    behind: Vec<u8>,
    picture: Option<Picture>,
    /// The last slice and the time of the picture that was passed on last.
    passed: Option<(Slice, Micros)>,
    /// The beginning of a picture was lost: what goes on with it is worth nothing.
    torn: bool,
    syntax: Syntax,
    ready: VecDeque<AccessUnit>,
}

impl Assembler {
    /// For a source of unknown habits: it holds the first picture back to learn them.
    pub fn learning() -> Self {
        Self::new(Habit::Unknown)
    }

    /// For a source that is expected to send whole pictures: nothing waits until one comes in pieces, and of
    /// that one only the first piece is passed on.
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

    /// Takes the next piece, in decode order. Take what [`Assembler::next`] gives before the next one.
    ///
    /// # Errors
    /// A piece that is beyond the bounds, or comes after its picture was passed on. It is left out.
    pub fn push(&mut self, piece: Piece) -> Result<()> {
        match self.syntax.first_slice(&piece) {
            Some(slice) => self.push_slices(piece, slice),
            None => self.push_other(&piece),
        }
    }

    /// The next whole access unit.
    #[allow(clippy::should_implement_trait, reason = "it is no iterator: none is not the end")]
    pub fn next(&mut self) -> Option<AccessUnit> {
        self.ready.pop_front()
    }

    /// Whether a picture waits for the proof that it is whole.
    pub const fn holds(&self) -> bool {
        self.picture.is_some()
    }

    /// The picture that waits is whole: parameter sets follow, for example.
    pub fn end(&mut self) {
        if self.picture.is_some() && self.habit == Habit::Unknown {
            self.habit = Habit::Whole;
        }
        self.flush();
    }

    /// Passes on the picture that waits: nothing more comes, or not in time.
    pub fn flush(&mut self) {
        let Some(mut picture) = self.picture.take() else { return };
        if !self.behind.is_empty() {
            let behind = std::mem::take(&mut self.behind);
            // What does not fit is left out: it is not needed to decode the picture.
            let _ = picture.append(&behind, false);
        }
        let (piece, last) = picture.whole();
        let entry = entry_point(piece.config.codec, &piece.data);
        self.passed = Some((last, piece.dts));
        self.ready.push_back(AccessUnit { piece, entry });
    }

    /// Bytes were lost: what waits is not whole.
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

    /// A piece without a slice.
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
            // It belongs to a picture that is gone already: the next one had better wait for the like.
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

/// Where NAL units that precede the slices may stand: a delimiter has to be the first of all.
fn after_delimiter(codec: Codec, data: &[u8]) -> usize {
    match length_prefixed(data).next() {
        Some(nal) if class(codec, nal) == Class::Delimiter => 4 + nal.len(),
        _ => 0,
    }
}

fn entry_point(codec: Codec, data: &[u8]) -> Entry {
    if codec == Codec::H265 { h265::entry_point(data) } else { h264::entry_point(data) }
}
