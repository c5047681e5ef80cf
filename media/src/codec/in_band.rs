//! Reads H.264 and H.265 in the form that MPEG-TS and RTP carry: Annex B with in-band parameter sets.

use std::sync::Arc;

use bytes::Bytes;

use super::nal::{annex_b, push_length_prefixed};
use super::{h264, h265};
use crate::bits::BitReader;
use crate::config::{Codec, Config, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::Micros;

/// The format name in errors. It is the same for both codecs, because the browser's module has no table of codec names.
const FORMAT: &str = "annexb";

/// Maximum number of parameter sets of one kind. Further sets are dropped.
const MAX_SETS: usize = 64;

/// The action for a NAL unit, according to its type.
enum Unit {
    /// A parameter set: 0 is VPS, 1 is SPS, 2 is PPS.
    Set(usize),
    Slice,
    /// A delimiter, filler data or an end of sequence. It is dropped, because the container has this information.
    Drop,
    Keep,
}

/// Annex B data after its parameter sets were removed.
pub(crate) struct Rest {
    /// NAL units, each after its length in 4 bytes.
    pub(crate) data: Bytes,
    /// Whether it contains slices.
    pub(crate) picture: bool,
    /// Whether parameter sets were removed.
    pub(crate) sets: bool,
    /// Whether an SPS was removed.
    pub(crate) sps: bool,
}

/// Converts access units into frames.
#[derive(Debug)]
pub(crate) struct InBand {
    codec: Codec,
    sets: [Vec<Vec<u8>>; 3],
    config: Option<Arc<Config>>,
    /// Whether frames are dropped until the next key frame, after a loss.
    wait: bool,
}

impl InBand {
    /// Creates a converter for H.264 or H.265.
    pub(crate) const fn new(codec: Codec) -> Self {
        Self { codec, sets: [const { Vec::new() }; 3], config: None, wait: false }
    }

    /// Reports a loss: no frame is returned before the next key frame.
    pub(crate) const fn lost(&mut self) {
        self.wait = true;
    }

    /// Returns whether frames are dropped for now: the converter waits for a key frame or for parameter sets.
    pub(crate) const fn waits(&self) -> bool {
        self.wait || self.config.is_none()
    }

    /// Converts one access unit into a frame. Returns `None` before the first parameter sets, between a loss and the
    /// next key frame, and for data without a slice.
    pub(crate) fn access_unit(&mut self, dts: Micros, pts: Micros, data: &[u8]) -> Option<Result<Frame>> {
        let rest = match self.take_sets(data) {
            Ok(rest) => rest,
            Err(error) => return Some(Err(error)),
        };
        let key = if self.codec == Codec::H264 { h264::is_key(&rest.data) } else { h265::is_key(&rest.data) };
        if !rest.picture || !self.may_pass(key, rest.sps) {
            return None;
        }
        let config = self.config.clone()?;
        Some(Ok(Frame { number: 0, config, dts, pts, key, data: rest.data }))
    }

    /// Returns the configuration from the parameter sets so far.
    pub(crate) const fn config(&self) -> Option<&Arc<Config>> {
        self.config.as_ref()
    }

    /// Returns whether a frame may be passed on. After a loss, only a key frame or a frame with an SPS ends the wait:
    /// a stream without IDR pictures (intra refresh) can be decoded from where its parameter sets are repeated.
    pub(crate) fn may_pass(&mut self, key: bool, sps: bool) -> bool {
        self.wait &= !key && !sps;
        !self.wait && self.config.is_some()
    }

    /// Stores the parameter sets in a piece of Annex B data, and returns the data without them.
    pub(crate) fn take_sets(&mut self, data: &[u8]) -> Result<Rest> {
        let mut fresh: [Vec<&[u8]>; 3] = Default::default();
        let mut out = Vec::with_capacity(data.len() + 16);
        let mut picture = false;
        for nal in annex_b(data) {
            match unit(self.codec, nal) {
                Unit::Set(kind) => {
                    if fresh[kind].len() < MAX_SETS && !fresh[kind].contains(&nal) {
                        fresh[kind].push(nal);
                    }
                    continue;
                }
                Unit::Drop => continue,
                Unit::Keep => {}
                Unit::Slice => picture = true,
            }
            push_length_prefixed(&mut out, nal);
        }
        let (sets, sps) = (fresh.iter().any(|sets| !sets.is_empty()), !fresh[1].is_empty());
        if self.update(&fresh) {
            self.configure()?;
        }
        Ok(Rest { data: out.into(), picture, sets, sps })
    }

    /// Stores the parameter sets of an access unit. Returns whether a stored set was added or changed.
    fn update(&mut self, fresh: &[Vec<&[u8]>; 3]) -> bool {
        let mut changed = false;
        // A sender repeats all its sets together with an SPS, so stored sets that are not repeated are out of use.
        let whole = !fresh[1].is_empty();
        for (kept, fresh) in self.sets.iter_mut().zip(fresh) {
            if whole && !fresh.is_empty() {
                if kept != fresh {
                    changed = true;
                    *kept = fresh.iter().map(|nal| nal.to_vec()).collect();
                }
                continue;
            }
            for nal in fresh.iter().filter(|nal| !nal.is_empty()) {
                let header = if self.codec == Codec::H264 { 1 } else { 2 };
                let id = |nal: &[u8]| BitReader::new(FORMAT, nal.get(header..).unwrap_or_default()).ue().ok();
                match kept.iter().position(|k| id(k) == id(nal)) {
                    Some(at) if kept[at] == *nal => continue,
                    Some(at) => kept[at] = nal.to_vec(),
                    None if kept.len() < MAX_SETS => kept.push(nal.to_vec()),
                    None => continue,
                }
                changed = true;
            }
        }
        changed
    }

    /// Creates the configuration from the parameter sets. Keeps the `Arc` if the configuration is the same as before.
    fn configure(&mut self) -> Result<()> {
        let [vps, sps, pps] =
            self.sets.each_ref().map(|sets| sets.iter().map(Vec::as_slice).collect::<Vec<_>>());
        if sps.is_empty() || pps.is_empty() {
            return Ok(());
        }
        let config = match self.codec {
            Codec::H264 => h264::config_from_parameter_sets(&sps, &pps),
            Codec::H265 => h265::config_from_parameter_sets(&vps, &sps, &pps),
            _ => Err(Error::unsupported_track(FORMAT, 0, Track::Video, "video codec")),
        };
        match config {
            Ok(config) if self.config.as_deref() == Some(&config) => {}
            Ok(config) => self.config = Some(Arc::new(config)),
            Err(error) => {
                // The old configuration does not belong to the next frames, so they must not be sent with it.
                self.config = None;
                return Err(error);
            }
        }
        Ok(())
    }
}

/// Returns the action for a NAL unit.
fn unit(codec: Codec, nal: &[u8]) -> Unit {
    let Some(&first) = nal.first() else { return Unit::Drop };
    // Unit types: ITU-T H.264 table 7-1, H.265 table 7-1.
    match codec {
        Codec::H264 => match first & 0x1f {
            1..=5 => Unit::Slice,
            7 => Unit::Set(1),
            8 => Unit::Set(2),
            9..=12 => Unit::Drop,
            _ => Unit::Keep,
        },
        _ => match first >> 1 & 0x3f {
            0..=31 => Unit::Slice,
            32 => Unit::Set(0),
            33 => Unit::Set(1),
            34 => Unit::Set(2),
            35..=38 => Unit::Drop,
            _ => Unit::Keep,
        },
    }
}
