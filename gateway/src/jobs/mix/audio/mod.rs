//! Mixes the audio of the inputs: decodes them, places them on the clock of the mix, adds them, and encodes the sum
//! once, as Opus at 48 kHz in stereo. Viewers whose format carries no Opus get AAC from the hub's derived stream.
//!
//! Nothing here reads a clock: times are arguments, in microseconds of the mix. `input` decodes and places the packets
//! of one input, `limiter` keeps the sum below full scale, `encode` makes the packets.

mod encode;
mod input;
mod level;
mod limiter;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use media::Frame;
use media::time::{Micros, from_ticks, to_ticks};

use self::encode::{Encoding, PACKET};
use self::input::InputAudio;
use self::level::Level;

/// Sample rate in hertz.
const RATE: u32 = 48_000;
/// Longest time that is mixed at once. After a longer pause the rest follows with the next call.
const MAX_AT_ONCE: usize = 250;
/// Maximum number of removed inputs that fade out; further ones end at once.
const MAX_LEAVING: usize = 16;

/// Identifies an input of a mix.
pub type InputId = u64;

/// A packet of mixed audio.
#[derive(Debug)]
pub struct Mixed {
    /// The packet, with its time in the mix.
    pub frame: Frame,
    /// The input whose own audio is left out; `None` for the mix of all.
    pub minus: Option<InputId>,
}

/// Audio levels of the last 100 ms, in dBov: -127 (silent) to 0.
#[derive(Debug, Clone, Default)]
pub struct Levels {
    inputs: BTreeMap<InputId, i8>,
    output: i8,
}

impl Levels {
    /// Returns the level of an input.
    pub fn input(&self, id: InputId) -> i8 {
        self.inputs.get(&id).copied().unwrap_or(-127)
    }

    /// Returns the level of the mix.
    pub const fn output(&self) -> i8 {
        self.output
    }
}

/// Mixes audio.
#[derive(Debug)]
pub struct AudioMixer {
    inputs: BTreeMap<InputId, InputAudio>,
    /// Removed inputs, which fade out with the next packet. At most [`MAX_LEAVING`].
    leaving: Vec<InputAudio>,
    /// The number of the next sample.
    next: i64,
    output: Encoding,
    level: Level,
    /// The mixes without one input, by this input.
    returns: BTreeMap<InputId, Encoding>,
}

impl AudioMixer {
    /// Creates a mixer whose first sample has the mix time `start`.
    pub fn new(start: Micros) -> Self {
        Self {
            inputs: BTreeMap::new(),
            leaving: Vec::new(),
            next: to_ticks(start, RATE),
            output: Encoding::new(),
            level: Level::default(),
            returns: BTreeMap::new(),
        }
    }

    /// Adds an input.
    pub fn add(&mut self, id: InputId) {
        self.inputs.insert(id, InputAudio::new(self.next));
    }

    /// Removes an input. Its last samples fade out with the next packet of the others.
    pub fn remove(&mut self, id: InputId) {
        if let Some(mut input) = self.inputs.remove(&id)
            && self.leaving.len() < MAX_LEAVING
        {
            input.set_gain(0.0);
            self.leaving.push(input);
        }
        self.returns.remove(&id);
    }

    /// Sets the gain of an input in dB. The change takes 10 ms.
    pub fn set_gain(&mut self, id: InputId, decibels: f32, muted: bool) {
        let gain = if muted { 0.0 } else { 10_f32.powf(decibels.clamp(-60.0, 20.0) / 20.0) };
        if let Some(input) = self.inputs.get_mut(&id) {
            input.set_gain(gain);
        }
    }

    /// Adds a packet of an input. Its first sample has to be heard at the mix time `at`. A packet that cannot be
    /// decoded is counted, and disturbs no other input.
    pub fn push(&mut self, id: InputId, frame: &Frame, at: Micros) {
        if let Some(input) = self.inputs.get_mut(&id) {
            input.push(frame, at);
        }
    }

    /// Returns the number of packets of an input that were broken, too late, or of a codec that is not decoded.
    pub fn lost(&self, id: InputId) -> u64 {
        self.inputs.get(&id).map_or(0, |input| input.lost)
    }

    /// Returns the mix time of the end of the next packet.
    pub fn due(&self) -> Micros {
        from_ticks(self.next + PACKET as i64, RATE)
    }

    /// Mixes up to the mix time `until`: returns the packets of 20 ms that end before it. Their times have no gaps.
    pub fn mix(&mut self, until: Micros) -> Vec<Mixed> {
        let mut mixed = Vec::new();
        let end = to_ticks(until, RATE);
        for _ in 0..MAX_AT_ONCE {
            if self.next + PACKET as i64 > end {
                break;
            }
            self.mix_packet(&mut mixed);
        }
        mixed
    }

    fn mix_packet(&mut self, mixed: &mut Vec<Mixed>) {
        let at = from_ticks(self.next, RATE);
        self.next += PACKET as i64;
        let mut sum = [[0.0; 2]; PACKET];
        let mut own = BTreeMap::new();
        for (id, input) in &mut self.inputs {
            let samples = input.next_packet();
            add(&mut sum, &samples, 1.0);
            if self.returns.contains_key(id) {
                own.insert(*id, samples);
            }
        }
        for mut input in self.leaving.drain(..) {
            add(&mut sum, &input.next_packet(), 1.0);
        }
        self.level.push(&sum);
        mixed.extend(self.output.encode(&sum, at).map(|frame| Mixed { frame, minus: None }));
        for (id, encoding) in &mut self.returns {
            let mut rest = sum;
            if let Some(own) = own.get(id) {
                add(&mut rest, own, -1.0);
            }
            mixed.extend(encoding.encode(&rest, at).map(|frame| Mixed { frame, minus: Some(*id) }));
        }
    }

    /// Returns the levels of all inputs and of the mix.
    pub fn levels(&self) -> Levels {
        let inputs = self.inputs.iter().map(|(id, input)| (*id, input.level.get())).collect();
        Levels { inputs, output: self.level.get() }
    }

    /// Begins to mix without the audio of this input, besides the mix of all.
    pub fn add_return(&mut self, id: InputId) {
        self.returns.entry(id).or_insert_with(Encoding::new);
    }

    /// Ends what [`AudioMixer::add_return`] began.
    pub fn remove_return(&mut self, id: InputId) {
        self.returns.remove(&id);
    }
}

fn add(sum: &mut [[f32; 2]; PACKET], samples: &[[f32; 2]; PACKET], factor: f32) {
    for (sum, sample) in sum.iter_mut().zip(samples) {
        *sum = [sum[0] + factor * sample[0], sum[1] + factor * sample[1]];
    }
}
