//! Turns the access units that an RTP publisher sends into frames, with the codec configuration that they contain.

use std::sync::Arc;

use bytes::Bytes;

use crate::codec::in_band::InBand;
use crate::codec::{av1, vpx};
use crate::config::{Codec, Config, Track};
use crate::error::{Error, Result};
use crate::frame::Frame;
use crate::time::Micros;

/// Turns one publisher's access units into frames. When the resolution changes, frames have another [`Config`] from that
/// key frame on.
#[derive(Debug)]
pub struct VideoFramer(Kind);

#[derive(Debug)]
enum Kind {
    /// H.264 and H.265: the parameter sets are NAL units.
    Nal(InBand),
    /// AV1, VP8 and VP9: a key frame contains everything.
    Whole(Whole),
}

impl VideoFramer {
    /// A framer that waits for the first key frame.
    ///
    /// # Errors
    ///
    /// When the codec is not a video codec.
    pub fn new(codec: Codec) -> Result<Self> {
        let mut framer = match codec {
            Codec::H264 | Codec::H265 => Self(Kind::Nal(InBand::new(codec))),
            _ if codec.track() == Track::Video => {
                Self(Kind::Whole(Whole { codec, config: None, waits_for_key: true }))
            }
            _ => return Err(Error::unsupported_track(codec.name(), 0, Track::Video, "video codec")),
        };
        framer.wait_for_key();
        Ok(framer)
    }

    /// Drops access units until the next key frame. Called when one is missing, because later ones may need it.
    pub const fn wait_for_key(&mut self) {
        match &mut self.0 {
            Kind::Nal(nal) => nal.lost(),
            Kind::Whole(whole) => whole.waits_for_key = true,
        }
    }

    /// Whether access units are dropped until the next key frame. The sender should be asked for one (PLI).
    pub const fn needs_key(&self) -> bool {
        match &self.0 {
            Kind::Nal(nal) => nal.waits(),
            Kind::Whole(whole) => whole.waits_for_key,
        }
    }

    /// The frame of one access unit: H.264 and H.265 in Annex B, AV1 as OBUs with sizes, VP8 and VP9
    /// as they are. Returns none while the framer waits for a key frame, and for data without a picture.
    ///
    /// # Errors
    ///
    /// When parameter sets cannot be read. After this, a key frame is needed.
    pub fn frame(&mut self, data: Bytes, pts: Micros) -> Result<Option<Frame>> {
        let frame = match &mut self.0 {
            // WebRTC has no B-frames, so the decode time is the presentation time.
            Kind::Nal(nal) => nal.access_unit(pts, pts, &data).transpose(),
            Kind::Whole(whole) => whole.access_unit(data, pts),
        };
        if frame.is_err() {
            self.wait_for_key();
        }
        frame
    }
}

/// AV1, VP8 and VP9.
#[derive(Debug)]
struct Whole {
    codec: Codec,
    config: Option<Arc<Config>>,
    waits_for_key: bool,
}

impl Whole {
    fn access_unit(&mut self, data: Bytes, pts: Micros) -> Result<Option<Frame>> {
        let (key, data) = match self.codec {
            Codec::Av1 => (av1::is_key(&data), av1::without_delimiter(data)),
            codec => (vpx::size(codec, &data).is_some(), data),
        };
        if data.is_empty() || self.waits_for_key && !key {
            return Ok(None);
        }
        if key {
            let config = match self.codec {
                Codec::Av1 => av1::config_in_band(&data, self.config.as_deref())?,
                codec => vpx::config_of_key_frame(codec, &data),
            };
            // An unchanged configuration keeps its `Arc`: readers notice a change by comparing pointers.
            if let Some(config) = config.filter(|config| self.config.as_deref() != Some(config)) {
                self.config = Some(Arc::new(config));
            }
        }
        let Some(config) = self.config.clone() else { return Ok(None) };
        self.waits_for_key = false;
        Ok(Some(Frame { number: 0, config, dts: pts, pts, key, data }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::samples::{H264_PPS, H264_SPS, H265_PPS, H265_SPS, H265_VPS, hex};

    fn annex_b(nals: &[&[u8]]) -> Bytes {
        nals.iter().flat_map(|nal| [&[0, 0, 0, 1], *nal].concat()).collect()
    }

    /// A key frame in two sizes, and a frame that needs it.
    fn samples(codec: Codec) -> [Bytes; 3] {
        let small = hex("6742c01eda0280bfe5c044000003000400000300f03c58ba80");
        let h265 =
            hex("42010102200000030090000003000003003fa005020169f4d96566924caf016808000003000800000300f040");
        let bytes = |text: &str| hex(text).into();
        match codec {
            Codec::H264 => [
                annex_b(&[H264_SPS, H264_PPS, &[0x65, 0x88, 0x84]]),
                annex_b(&[&small, H264_PPS, &[0x65, 0x88, 0x84]]),
                annex_b(&[&[0x41, 0x9a, 0x24]]),
            ],
            Codec::H265 => [
                annex_b(&[H265_VPS, H265_SPS, H265_PPS, &[0x26, 0x01, 0xac]]),
                annex_b(&[H265_VPS, &h265, H265_PPS, &[0x26, 0x01, 0xac]]),
                annex_b(&[&[0x02, 0x01, 0xd0]]),
            ],
            Codec::Av1 => [
                bytes("1200 0a0b0000000cc4ff6700be0010 3203100000"),
                bytes("0a0b000000043cfeccfbf90040 3203100000"),
                bytes("1200 3203300000"),
            ],
            Codec::Vp8 => {
                [bytes("5042009d012a80026801"), bytes("5042009d012a40013801"), bytes("5142000102030405")]
            }
            _ => [bytes("824983420027f01670"), bytes("824983420013f0b370"), bytes("8600408092")],
        }
    }

    #[test]
    fn frames_begin_with_a_key_frame_and_get_a_new_config_when_the_size_changes() {
        for codec in [Codec::H264, Codec::H265, Codec::Av1, Codec::Vp8, Codec::Vp9] {
            let [first, second, inter] = samples(codec);
            let mut framer = VideoFramer::new(codec).unwrap();
            assert!(framer.needs_key());
            assert_eq!(framer.frame(inter.clone(), 0), Ok(None), "{codec:?}");
            let mut frame = |data: &Bytes, pts| framer.frame(data.clone(), pts).unwrap().expect("a frame");
            let (a, b, c) = (frame(&first, 1), frame(&inter, 2), frame(&first, 3));
            assert!((a.key, b.key, c.key, b.dts, b.pts) == (true, false, true, 2, 2), "{codec:?}");
            assert!(Arc::ptr_eq(&a.config, &b.config) && Arc::ptr_eq(&a.config, &c.config), "{codec:?}");
            let d = frame(&second, 4);
            assert!(d.key && d.config.codec == codec);
            assert_ne!(a.config.video(), d.config.video(), "{codec:?}");
            assert!(d.config.video().is_some_and(|size| size.width > 0));

            assert!(!framer.needs_key());
            framer.wait_for_key();
            assert!(framer.needs_key());
            assert_eq!(framer.frame(inter.clone(), 5), Ok(None));
            assert!(framer.frame(second, 6).unwrap().is_some_and(|e| Arc::ptr_eq(&e.config, &d.config)));
            assert!(framer.frame(inter, 7).unwrap().is_some());
        }
        assert!(VideoFramer::new(Codec::Opus).is_err());
    }

    #[test]
    fn parameter_sets_that_cannot_be_read_stop_the_video() {
        for (codec, bad) in [
            (Codec::H264, annex_b(&[&H264_SPS[..7], H264_PPS, &[0x65, 0x88]])),
            (Codec::Av1, hex("0a020000 3203100000").into()),
        ] {
            let mut framer = VideoFramer::new(codec).unwrap();
            let [first, _, inter] = samples(codec);
            assert!(framer.frame(first.clone(), 0).unwrap().is_some());
            assert!(framer.frame(bad, 1).is_err(), "{codec:?}");
            assert!(framer.needs_key());
            assert_eq!(framer.frame(inter, 2), Ok(None));
            assert!(framer.frame(first, 3).unwrap().is_some(), "{codec:?}");
        }
    }
}
