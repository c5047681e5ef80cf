use std::f64::consts::TAU;
use std::sync::Arc;

use bytes::Bytes;
use media::time::{MILLI, SECOND};
use media::{Codec, Config};
use proptest::prelude::*;

use super::*;
use crate::derive::transcode::AudioTarget;
use crate::derive::transcode::codec;
use crate::derive::transcode::decoding::Decoding;

/// Encodes a signal, given as a function of the time in seconds. The packets have exact times from 0.
fn packets(to: AudioTarget, channels: usize, seconds: f64, signal: impl Fn(f64) -> f32) -> Vec<Frame> {
    let mut encoder = codec::encoder(to, channels).unwrap();
    let (size, delay) = (encoder.frame(), encoder.delay() as i64);
    let count = (seconds * f64::from(RATE)) as usize / size;
    let packet = |n: usize| {
        let plane: Vec<f32> = (0..size).map(|i| signal((n * size + i) as f64 / f64::from(RATE))).collect();
        let planes: Vec<&[f32]> = vec![&plane; channels];
        let time = from_ticks((n * size) as i64 - delay, RATE);
        let data = encoder.encode(&planes).unwrap();
        Frame { number: 0, config: to.output(channels), dts: time, pts: time, key: true, data }
    };
    (0..count).map(packet).collect()
}

fn tone(hertz: f64, volume: f32) -> impl Fn(f64) -> f32 {
    move |t| volume * (TAU * hertz * t).sin() as f32
}

/// Decodes mixed packets. The first sample has the time of the first packet.
fn decoded(frames: &[Frame]) -> (Micros, Vec<f32>) {
    let mut decoding = Decoding::new(&frames[0].config, 2).unwrap();
    let mut samples = Vec::new();
    for frame in frames {
        decoding.decode(&frame.data).unwrap();
        samples.extend_from_slice(&decoding.pcm.planes[0]);
    }
    (frames[0].pts, samples)
}

/// Returns the amplitude of a tone.
fn amplitude(samples: &[f32], hertz: f64) -> f64 {
    let step = TAU * hertz / f64::from(RATE);
    let sums = samples.iter().enumerate().fold((0.0, 0.0), |(re, im), (n, sample)| {
        let (sin, cos) = (step * n as f64).sin_cos();
        (re + f64::from(*sample) * cos, im + f64::from(*sample) * sin)
    });
    sums.0.hypot(sums.1) * 2.0 / samples.len() as f64
}

/// Feeds packets whose times are shifted by `offset` in the order of their times, and mixes up to `until` in steps of
/// a tick of 30 per second.
fn run(
    mixer: &mut AudioMixer,
    inputs: &[(InputId, Micros, &[Frame])],
    from: Micros,
    until: Micros,
) -> Vec<Mixed> {
    let mut mixed = Vec::new();
    let mut at: Vec<usize> = inputs
        .iter()
        .map(|(_, offset, frames)| frames.iter().take_while(|frame| frame.pts + offset < from).count())
        .collect();
    let ticks = (from * 30 / SECOND..=until * 30 / SECOND).map(|tick| tick * SECOND / 30);
    for now in ticks {
        for ((id, offset, frames), at) in inputs.iter().zip(&mut at) {
            while let Some(frame) = frames.get(*at).filter(|frame| frame.pts + offset <= now) {
                mixer.push(*id, frame, frame.pts + offset);
                *at += 1;
            }
        }
        mixed.extend(mixer.mix(now));
    }
    mixed
}

fn of_all(mixed: Vec<Mixed>) -> Vec<Frame> {
    mixed.into_iter().filter(|mixed| mixed.minus.is_none()).map(|mixed| mixed.frame).collect()
}

fn assert_no_gap(frames: &[Frame]) {
    for pair in frames.windows(2) {
        assert_eq!(pair[1].pts - pair[0].pts, 20 * MILLI);
    }
}

#[test]
fn every_tone_is_in_the_mix_with_its_level_whatever_its_codec() {
    let mut mixer = AudioMixer::new(0);
    let kinds = [
        (AudioTarget::Opus, 2, 440.0),
        (AudioTarget::Aac, 2, 700.0),
        (AudioTarget::Opus, 1, 1100.0),
        (AudioTarget::Aac, 1, 1500.0),
    ];
    let all: Vec<Vec<Frame>> =
        kinds.iter().map(|(to, channels, hertz)| packets(*to, *channels, 3.0, tone(*hertz, 0.15))).collect();
    let inputs: Vec<(InputId, Micros, &[Frame])> =
        all.iter().enumerate().map(|(n, frames)| (n as InputId, 37 * MILLI, &frames[..])).collect();
    inputs.iter().for_each(|(id, ..)| mixer.add(*id));
    mixer.add_return(1);
    let mixed = run(&mut mixer, &inputs, 0, 3 * SECOND);
    let (minus, frames): (Vec<Mixed>, Vec<Mixed>) =
        mixed.into_iter().partition(|mixed| mixed.minus == Some(1));
    let frames = of_all(frames);
    assert_no_gap(&frames);
    let samples = &decoded(&frames).1[48_000..96_000];
    for (_, _, hertz) in kinds {
        let found = amplitude(samples, hertz);
        assert!((0.13..=0.17).contains(&found), "{hertz}: {found}");
    }
    let minus: Vec<Frame> = minus.into_iter().map(|mixed| mixed.frame).collect();
    let samples = &decoded(&minus).1[48_000..96_000];
    let (own, other) = (amplitude(samples, 700.0), amplitude(samples, 440.0));
    assert!(own < 0.002 && other > 0.13, "{own} {other}");
    let levels = mixer.levels();
    // A sine of amplitude 0.15: -16.5 dBFS in peaks, -19.5 dBov.
    assert!((-21..=-18).contains(&levels.input(0)) && (-15..=-12).contains(&levels.output()), "{levels:?}");
    assert_eq!(levels.input(99), -127);
}

#[test]
fn a_beep_is_heard_within_five_milliseconds_of_its_place() {
    for (to, channels) in [(AudioTarget::Opus, 2), (AudioTarget::Aac, 2), (AudioTarget::Aac, 1)] {
        let beep =
            |t: f64| if (1.5..1.55).contains(&t) { 0.5 * (TAU * 1000.0 * t).sin() as f32 } else { 0.0 };
        let frames = packets(to, channels, 3.0, beep);
        let mut mixer = AudioMixer::new(0);
        mixer.add(1);
        let offset = 123 * MILLI;
        let frames = of_all(run(&mut mixer, &[(1, offset, &frames)], 0, 3 * SECOND));
        let (start, samples) = decoded(&frames);
        let first = samples.iter().position(|one| one.abs() > 0.1).expect("a beep");
        let heard = start + from_ticks(first as i64, RATE);
        let error = heard - (1500 * MILLI + offset);
        assert!(error.abs() <= 5 * MILLI, "{to:?}: {error}");
    }
}

#[test]
fn joins_and_leaves_make_no_gap_and_no_click() {
    let frames = packets(AudioTarget::Opus, 2, 21.0, tone(300.0, 0.3));
    let mut mixer = AudioMixer::new(0);
    let mut all = Vec::new();
    for n in 0..100_i64 {
        let (from, until) = (n * 200 * MILLI, (n + 1) * 200 * MILLI - 1);
        if n % 2 == 0 {
            mixer.add(1)
        } else {
            mixer.remove(1)
        }
        mixer.set_gain(1, 0.0, n % 6 == 4);
        all.extend(run(&mut mixer, &[(1, 20 * MILLI, &frames)], from, until));
    }
    let frames = of_all(all);
    assert_no_gap(&frames);
    assert!(frames.len() > 990, "{}", frames.len());
    let samples = decoded(&frames).1;
    // The steepest step of this tone is 0.012.
    let step = samples.windows(2).map(|pair| (pair[1] - pair[0]).abs()).fold(0.0, f32::max);
    assert!(step < 0.05, "{step}");
    let heard: Vec<bool> = samples.chunks_exact(9_600).map(|piece| amplitude(piece, 300.0) > 0.1).collect();
    let count = heard.iter().filter(|heard| **heard).count();
    // A decoder that begins in the middle of an Opus stream needs some packets for the full volume.
    assert!((25..=50).contains(&count), "{heard:?}");
}

#[test]
fn a_clock_that_runs_wrong_is_followed_without_a_dropout() {
    for ppm in [-200.0, 200.0] {
        let frames = packets(AudioTarget::Opus, 1, 60.0, tone(300.0, 0.3));
        let mut mixer = AudioMixer::new(0);
        mixer.add(1);
        let mut mixed = Vec::new();
        for (n, frame) in frames.iter().enumerate() {
            // The place moves as the publisher's clock runs.
            let at = (frame.pts as f64 * (1.0 + ppm * 1e-6)) as Micros + 30 * MILLI;
            mixer.push(1, frame, at);
            mixed.extend(mixer.mix((n as Micros + 1) * 20 * MILLI));
        }
        let samples = decoded(&of_all(mixed)).1;
        for piece in samples[48_000..].chunks_exact(4_800) {
            let loud = piece.iter().fold(0.0_f32, |most, one| most.max(one.abs()));
            assert!((0.27..=0.33).contains(&loud), "{ppm}: {loud}");
        }
        // After a minute, 12 ms of drift: the difference that remains is small.
        let input = &mixer.inputs[&1];
        assert!(input.difference.abs() < 2_000.0 && input.lost == 0, "{ppm}: {}", input.difference);
    }
}

#[test]
fn lost_packets_are_concealed_and_late_ones_dropped() {
    let frames = packets(AudioTarget::Opus, 2, 4.0, tone(300.0, 0.3));
    let kept: Vec<Frame> =
        frames.iter().enumerate().filter(|(n, _)| n % 5 != 3).map(|(_, frame)| frame.clone()).collect();
    let mut mixer = AudioMixer::new(0);
    mixer.add(1);
    let frames = of_all(run(&mut mixer, &[(1, 60 * MILLI, &kept)], 0, 4 * SECOND));
    assert_no_gap(&frames);
    let samples = decoded(&frames).1;
    assert!(amplitude(&samples[48_000..144_000], 300.0) > 0.2);
    // The same packets again are all too late. They are counted, and what waits stays.
    let (before, waiting) = (mixer.lost(1), mixer.inputs[&1].waiting());
    kept[..50].iter().for_each(|frame| mixer.push(1, frame, frame.pts));
    assert_eq!((mixer.lost(1), mixer.inputs[&1].waiting()), (before + 50, waiting));
    assert!(mixer.inputs[&1].waiting() <= 2 * RATE as usize);
}

#[test]
fn two_loud_inputs_are_limited_and_a_quiet_one_is_not_changed() {
    let (loud, other) = (
        packets(AudioTarget::Opus, 2, 2.0, tone(300.0, 0.95)),
        packets(AudioTarget::Opus, 2, 2.0, tone(500.0, 0.95)),
    );
    let mut mixer = AudioMixer::new(0);
    mixer.add(1);
    mixer.add(2);
    let mixed = of_all(run(&mut mixer, &[(1, 0, &loud), (2, 0, &other)], 0, 2 * SECOND));
    let most = decoded(&mixed).1.iter().fold(0.0_f32, |most, one| most.max(one.abs()));
    assert!((0.8..=1.0).contains(&most), "{most}");
    // Gain in dB: 6 dB double the amplitude.
    let quiet = packets(AudioTarget::Opus, 2, 2.0, tone(300.0, 0.1));
    let mut mixer = AudioMixer::new(0);
    mixer.add(1);
    mixer.set_gain(1, 6.0, false);
    let mixed = of_all(run(&mut mixer, &[(1, 0, &quiet)], 0, 2 * SECOND));
    let found = amplitude(&decoded(&mixed).1[24_000..72_000], 300.0);
    assert!((0.19..=0.21).contains(&found), "{found}");
}

#[test]
fn an_input_that_changes_its_format_all_the_time_is_mostly_left_out() {
    let (stereo, mono) = (
        packets(AudioTarget::Opus, 2, 2.0, tone(300.0, 0.1)),
        packets(AudioTarget::Opus, 1, 2.0, tone(300.0, 0.1)),
    );
    let mut mixer = AudioMixer::new(0);
    mixer.add(1);
    for (n, frame) in stereo.iter().enumerate() {
        let frame = if n % 2 == 0 { frame } else { &mono[n] };
        mixer.push(1, frame, n as Micros * 20 * MILLI);
    }
    // In two seconds the format is followed four times; only packets of the current format are decoded.
    assert!((45..=55).contains(&mixer.lost(1)), "{}", mixer.lost(1));
}

#[test]
fn audio_that_waits_is_bounded() {
    let frames = packets(AudioTarget::Opus, 2, 10.0, tone(300.0, 0.1));
    let mut mixer = AudioMixer::new(0);
    mixer.add(1);
    for frame in &frames {
        mixer.push(1, frame, frame.pts);
        assert!(mixer.inputs[&1].waiting() <= 2 * RATE as usize);
    }
    assert_eq!(mixer.inputs[&1].waiting(), 2 * RATE as usize, "the bound is reached");
    (0..100).for_each(|id| mixer.add(id));
    (0..100).for_each(|id| mixer.remove(id));
    assert_eq!(mixer.leaving.len(), MAX_LEAVING);
    assert_eq!(mixer.mix(100 * SECOND).len(), MAX_AT_ONCE);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn hostile_packets_disturb_no_other_input(
        bytes in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 50),
        at in prop::collection::vec(-10_000_000_i64..10_000_000, 50),
        aac in any::<bool>(),
    ) {
        let good = packets(AudioTarget::Opus, 1, 1.0, tone(300.0, 0.3));
        let to = if aac { AudioTarget::Aac } else { AudioTarget::Opus };
        let unknown = Arc::new(Config { codec: Codec::Mp3, ..(*to.output(2)).clone() });
        let mut mixer = AudioMixer::new(0);
        mixer.add(1);
        mixer.add(2);
        mixer.set_gain(2, -60.0, true);
        let mut mixed = Vec::new();
        for (n, frame) in good.iter().enumerate() {
            mixer.push(1, frame, frame.pts + 20 * MILLI);
            let data = Bytes::from(bytes[n].clone());
            let config = if n % 7 == 0 { unknown.clone() } else { to.output(2) };
            mixer.push(2, &Frame { config, data, ..frame.clone() }, at[n]);
            mixed.extend(mixer.mix(n as Micros * 20 * MILLI));
        }
        let frames = of_all(mixed);
        assert_no_gap(&frames);
        prop_assert!(amplitude(&decoded(&frames).1[24_000..40_000], 300.0) > 0.2);
        prop_assert!(mixer.inputs[&2].waiting() <= 2 * RATE as usize);
    }
}
