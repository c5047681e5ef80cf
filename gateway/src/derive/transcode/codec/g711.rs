//! G.711: one byte per sample, A-law or µ-law.

use media::{Codec, Config};

use super::{Broken, Pcm};

/// Decodes packets of any length.
pub(super) struct Decoder {
    table: &'static [f32; 256],
    channels: usize,
    rate: u32,
}

impl Decoder {
    pub(super) fn new(config: &Config) -> Result<Self, Broken> {
        let audio = config.audio().ok_or(Broken)?;
        let table = if config.codec == Codec::PcmAlaw { &ALAW } else { &MULAW };
        let channels = usize::from(audio.channels);
        if !(1..=2).contains(&channels) || audio.sample_rate == 0 {
            return Err(Broken);
        }
        Ok(Self { table, channels, rate: audio.sample_rate })
    }
}

impl super::Decoder for Decoder {
    fn decode(&mut self, packet: &[u8], out: &mut Pcm) -> Result<(), Broken> {
        out.rate = self.rate;
        for frame in packet.chunks_exact(self.channels) {
            for (at, plane) in out.planes.iter_mut().enumerate() {
                plane.push(self.table[usize::from(frame[at.min(self.channels - 1)])]);
            }
        }
        Ok(())
    }
}

static ALAW: [f32; 256] = {
    let mut table = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = code as i32 ^ 0x55;
        let (segment, step) = (bits >> 4 & 7, (bits & 15) << 4 | 8);
        let size = if segment == 0 { step } else { (step | 0x100) << (segment - 1) };
        table[code] = if bits & 0x80 != 0 { size as f32 } else { -size as f32 } / 32768.0;
        code += 1;
    }
    table
};

static MULAW: [f32; 256] = {
    let mut table = [0.0; 256];
    let mut code = 0;
    while code < 256 {
        let bits = !(code as i32);
        let size = ((bits & 15) << 3 | 0x84) << (bits >> 4 & 7);
        let size = size - 0x84;
        table[code] = if bits & 0x80 != 0 { -size as f32 } else { size as f32 } / 32768.0;
        code += 1;
    }
    table
};
