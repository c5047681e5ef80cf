//! Reports the state of a mix, for the API.

use media::time::{MILLI, Micros, SECOND};

use super::audio::AudioMixer;
use super::cpu::Cpu;
use super::input::{InputState, Shows};
use super::inputs::{Input, Inputs};
use super::load::{Limit, Load};
use super::output::Output;
use super::status::{InputStatus, MixStatus};

/// Time between two reports.
const INTERVAL: Micros = SECOND;

/// Collects what is reported.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// Number of pictures that were left out.
    pub(super) drops: u64,
    last: Micros,
    cpu: Cpu,
    /// CPU time of all reports in microseconds.
    cpu_total: Micros,
    /// Number of encoded pictures of all reports.
    pictures: u64,
}

impl Report {
    /// Returns the state of the mix once a second.
    pub(super) fn status(
        &mut self,
        now: Micros,
        inputs: &Inputs,
        output: &mut Output,
        load: &Load,
        audio: &AudioMixer,
    ) -> Option<MixStatus> {
        let passed = now - self.last;
        if passed < INTERVAL {
            return None;
        }
        self.last = now;
        let decoders = inputs.all().iter().filter_map(|input| input.state.borrow().decoder);
        let processes: Vec<u32> = decoders.chain(output.processes()).collect();
        let cpu = self.cpu.spent(processes.into_iter()).as_micros() as Micros;
        let per_second = |count: u32| (Micros::from(count) * SECOND + passed / 2).div_euclid(passed) as u32;
        self.cpu_total += cpu;
        let frames = std::mem::take(&mut output.frames);
        self.pictures += u64::from(frames);
        let levels = audio.levels();
        let quality = load.quality();
        let (width, height) = output.sizes().0;
        Some(MixStatus {
            inputs: inputs
                .all()
                .iter()
                .map(|input| status(input, now, levels.input(input.id), audio.lost(input.id), per_second))
                .collect(),
            fps: per_second(frames),
            pictures: self.pictures,
            width,
            height,
            cpu_percent: (cpu * 100 / passed) as u32,
            cpu_ms: (self.cpu_total / MILLI).max(0) as u64,
            encoder_ms: (output.delay / MILLI) as u32,
            drops: self.drops,
            quality: quality.name(),
            quality_steps: quality.steps(),
            limited_by: load.limit().map(Limit::text),
            encoder_restarts: output.restarts,
            level: levels.output(),
            viewers: output.viewers(),
            live_ms: (now / MILLI).max(0) as u64,
        })
    }
}

fn status(input: &Input, now: Micros, level: i8, lost: u64, per_second: impl Fn(u32) -> u32) -> InputStatus {
    let state = &mut *input.state.borrow_mut();
    let shown = std::mem::take(&mut state.shown);
    state.pictures += u64::from(shown);
    InputStatus {
        stream: input.request.stream.clone(),
        state: name(state, now),
        failure: state.failure.clone(),
        fps: per_second(shown),
        pictures: state.pictures,
        repeats: state.repeats,
        delay_ms: state.clock.delay() / MILLI,
        drops: state.drops() + lost,
        level,
        decoder_restarts: state.restarts,
    }
}

fn name(state: &InputState, now: Micros) -> &'static str {
    match state.shows(now) {
        _ if state.failure.is_some() => "failed",
        Shows::Picture => "live",
        Shows::Card => "card",
        Shows::Nothing => "waiting",
    }
}
