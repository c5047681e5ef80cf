use std::f64::consts::TAU;

use bytes::Bytes;
use media::codec::{aac, opus};
use media::{Audio, Format};
use proptest::prelude::*;

use super::*;

/// The packets of a publisher, with times.
struct Sent {
    config: Arc<Config>,
    frames: Vec<Frame>,
}

impl Sent {
    fn new(config: Config, packets: impl IntoIterator<Item = Bytes>) -> Self {
        let config = Arc::new(config);
        let mut time = 0;
        let mut frames = Vec::new();
        let rate = config.audio().unwrap().sample_rate;
        for data in packets {
            let pts = SECOND + from_ticks(time, rate);
            time += i64::from(media::codec::audio_samples(&config, &data).unwrap());
            frames.push(Frame { number: 0, config: config.clone(), dts: pts, pts, key: true, data });
        }
        Self { config, frames }
    }

    /// AAC by `sound(seconds, channel)`.
    fn aac(rate: u32, channels: usize, seconds: f64, sound: impl Fn(f64, usize) -> f64) -> Self {
        Self::aac_with(syom::EncodeOptions::raw(), rate, channels, seconds, sound)
    }

    fn aac_with(
        options: syom::EncodeOptions,
        rate: u32,
        channels: usize,
        seconds: f64,
        sound: impl Fn(f64, usize) -> f64,
    ) -> Self {
        let mut encoder = syom::Encoder::new(rate, channels, &options).unwrap();
        let planes = planes(rate, channels, seconds, sound);
        let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[..]).collect();
        let mut packets = Vec::new();
        let note = |packets: &mut Vec<Bytes>, frame: syom::EncodedFrame<'_>| {
            packets.push(Bytes::copy_from_slice(frame.payload));
            Ok(())
        };
        encoder.feed(&planes, |frame| note(&mut packets, frame)).unwrap();
        encoder.finish(|frame| note(&mut packets, frame)).unwrap();
        let config = aac::config_from_asc(Bytes::copy_from_slice(encoder.asc())).unwrap();
        Self::new(config, packets)
    }

    fn opus(channels: usize, seconds: f64, sound: impl Fn(f64, usize) -> f64) -> Self {
        let mut encoder = codec::encoder(AudioTarget::Opus, channels).unwrap();
        let planes = planes(RATE, channels, seconds, sound);
        let packets = (0..planes[0].len() / 960).map(|n| {
            let planes: Vec<&[f32]> = planes.iter().map(|plane| &plane[n * 960..][..960]).collect();
            encoder.encode(&planes).unwrap()
        });
        Self::new(opus::config_of_channels(channels as u8), packets)
    }

    /// µ-law in packets of 20 ms.
    fn mulaw(seconds: f64, sound: impl Fn(f64, usize) -> f64) -> Self {
        let format = Format::Audio(Audio { sample_rate: 8_000, channels: 1 });
        let config = Config { codec: Codec::PcmMulaw, format, description: Bytes::new() };
        let mut table = Pcm::new(0, 1);
        let all: Vec<u8> = (0..=255).collect();
        codec::decoder(&config).unwrap().decode(&all, &mut table).unwrap();
        let nearest = |value: f32| {
            let distance = |code: &u8| (table.planes[0][usize::from(*code)] - value).abs();
            (0..=255u8).min_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap()
        };
        let codes: Vec<u8> = planes(8_000, 1, seconds, sound)[0].iter().map(|s| nearest(*s)).collect();
        Self::new(config, codes.chunks(160).map(Bytes::copy_from_slice))
    }

    fn through(&self, to: AudioTarget) -> Vec<Frame> {
        transcode(to, &self.frames)
    }
}

fn planes(rate: u32, channels: usize, seconds: f64, sound: impl Fn(f64, usize) -> f64) -> Vec<Vec<f32>> {
    let plane = |channel| {
        let samples = 0..(f64::from(rate) * seconds) as usize;
        samples.map(|n| sound(n as f64 / f64::from(rate), channel) as f32).collect()
    };
    (0..channels).map(plane).collect()
}

fn transcode(to: AudioTarget, frames: &[Frame]) -> Vec<Frame> {
    let (mut pipeline, mut out) = (Pipeline::new(to), Vec::new());
    frames.iter().for_each(|frame| pipeline.push(frame, &mut out));
    assert!(out.windows(2).all(|pair| pair[0].dts < pair[1].dts), "times rise");
    out
}

/// A decoded track: samples in its own time, with silence for gaps.
struct Heard {
    rate: u32,
    /// Time of the first sample.
    start: Micros,
    planes: Vec<Vec<f32>>,
}

impl Heard {
    fn new(frames: &[Frame]) -> Self {
        let config = &frames[0].config;
        let mut decoder = codec::decoder(config).unwrap();
        let mut heard = Self { rate: 0, start: frames[0].pts, planes: vec![Vec::new(); channels(config)] };
        let mut pcm = Pcm::new(0, heard.planes.len());
        for frame in frames {
            assert!(Arc::ptr_eq(&frame.config, config));
            pcm.clear();
            decoder.decode(&frame.data, &mut pcm).unwrap();
            heard.rate = pcm.rate;
            let at = to_ticks(frame.pts - heard.start, pcm.rate) as usize;
            for (plane, more) in heard.planes.iter_mut().zip(&pcm.planes) {
                plane.resize(at, 0.0);
                plane.extend(more);
            }
        }
        heard
    }

    /// The samples of a channel between two times in seconds after the stream's first second.
    fn between(&self, channel: usize, from: f64, to: f64) -> &[f32] {
        let at = |time: f64| to_ticks(SECOND + (time * 1e6) as Micros - self.start, self.rate) as usize;
        &self.planes[channel][at(from)..at(to)]
    }

    /// Returns the amplitude of `hertz`, and that of everything else.
    fn tone(&self, channel: usize, hertz: f64, from: f64, to: f64) -> (f64, f64) {
        let samples = self.between(channel, from, to);
        let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
        for (n, sample) in samples.iter().enumerate() {
            let (sin, cos) = (TAU * hertz * n as f64 / f64::from(self.rate)).sin_cos();
            re += f64::from(*sample) * cos;
            im += f64::from(*sample) * sin;
            power += f64::from(*sample).powi(2);
        }
        let count = samples.len() as f64;
        let amplitude = (re * re + im * im).sqrt() * 2.0 / count;
        (amplitude, (power / count - amplitude * amplitude / 2.0).max(0.0).sqrt() * 2f64.sqrt())
    }

    /// Returns the time of the loudest sample, in seconds.
    fn click(&self, from: f64, to: f64) -> f64 {
        let samples = self.between(0, from, to);
        let loudest = (0..samples.len()).max_by(|&a, &b| samples[a].abs().total_cmp(&samples[b].abs()));
        from + loudest.unwrap() as f64 / f64::from(self.rate)
    }

    fn rms(&self, from: f64, to: f64) -> f64 {
        let samples = self.between(0, from, to);
        (samples.iter().map(|s| f64::from(*s).powi(2)).sum::<f64>() / samples.len() as f64).sqrt()
    }
}

fn sine(hertz: f64, amplitude: f64) -> impl Fn(f64, usize) -> f64 {
    move |time, _| amplitude * (TAU * hertz * time).sin()
}

/// 700 Hz left (or in the only channel), 1200 Hz right.
fn two(time: f64, channel: usize) -> f64 {
    0.4 * (TAU * [700.0, 1200.0][channel.min(1)] * time).sin()
}

#[track_caller]
fn assert_tone(heard: &Heard, channel: usize, hertz: f64, amplitude: f64) {
    let (found, rest) = heard.tone(channel, hertz, 0.2, 0.7);
    let level = 20.0 * (found / amplitude).log10();
    assert!(level.abs() < 0.7, "{hertz} Hz in {channel} is {level:+.2} dB off");
    assert!(rest < amplitude * 0.05, "beside {hertz} Hz in {channel} there is {rest:.4}");
}

#[test]
fn tones_keep_pitch_level_and_side() {
    for (name, sent) in [
        ("AAC 44.1 kHz", Sent::aac(44_100, 2, 0.8, two)),
        ("AAC 32 kHz", Sent::aac(32_000, 2, 0.8, two)),
        ("AAC 96 kHz", Sent::aac(96_000, 2, 0.8, two)),
        (
            "HE-AAC",
            Sent::aac_with(
                syom::EncodeOptions::raw().with_bitrate_bps(64_000).with_he(true),
                48_000,
                2,
                0.8,
                two,
            ),
        ),
    ] {
        let heard = Heard::new(&sent.through(AudioTarget::Opus));
        assert_eq!(heard.planes.len(), 2, "{name}");
        assert_tone(&heard, 0, 700.0, 0.4);
        assert_tone(&heard, 1, 1200.0, 0.4);
    }
    let heard = Heard::new(&Sent::opus(2, 0.8, two).through(AudioTarget::Aac));
    assert_tone(&heard, 0, 700.0, 0.4);
    assert_tone(&heard, 1, 1200.0, 0.4);
}

#[test]
fn one_channel_stays_one() {
    for (sent, to) in [
        (Sent::aac(48_000, 1, 0.8, two), AudioTarget::Opus),
        (Sent::aac(22_050, 1, 0.8, two), AudioTarget::Opus),
        (Sent::opus(1, 0.8, two), AudioTarget::Aac),
        (Sent::mulaw(0.8, two), AudioTarget::Aac),
        (Sent::mulaw(0.8, two), AudioTarget::Opus),
    ] {
        let frames = sent.through(to);
        assert!(Arc::ptr_eq(&frames[0].config, &to.output(1)));
        assert_tone(&Heard::new(&frames), 0, 700.0, 0.4);
    }
}

#[test]
fn surround_is_mixed_to_two() {
    // Centre 300 Hz, left 500, right 700, back left 900, back right 1100; the sixth is for effects.
    let hertz = [500.0, 700.0, 300.0, 50.0, 900.0, 1100.0];
    let sent = Sent::aac(48_000, 6, 0.8, |time, channel| 0.2 * (TAU * hertz[channel] * time).sin());
    assert_eq!(sent.config.audio().unwrap().channels, 6);
    let heard = Heard::new(&sent.through(AudioTarget::Opus));
    let level = |channel, hertz| heard.tone(channel, hertz, 0.2, 0.7).0;
    for (channel, loud, soft, none) in
        [(0, 500.0, 900.0, [700.0, 1100.0]), (1, 700.0, 1100.0, [500.0, 900.0])]
    {
        assert!((level(channel, loud) - 0.2).abs() < 0.01, "{}", level(channel, loud));
        for hertz in [soft, 300.0] {
            assert!((level(channel, hertz) - 0.1414).abs() < 0.01, "{hertz}: {}", level(channel, hertz));
        }
        for hertz in none.into_iter().chain([50.0]) {
            assert!(level(channel, hertz) < 0.01, "{hertz}: {}", level(channel, hertz));
        }
    }
}

/// A short burst at `at` on silence.
fn burst(at: f64) -> impl Fn(f64, usize) -> f64 {
    move |time, _| {
        let x = (time - at) * 1000.0;
        0.8 * (-x * x).exp() * (TAU * 1000.0 * (time - at)).cos()
    }
}

#[test]
fn a_click_stays_where_it_is() {
    for (name, sent, to) in [
        ("AAC 44.1 kHz", Sent::aac(44_100, 2, 1.2, burst(0.7)), AudioTarget::Opus),
        ("AAC 48 kHz", Sent::aac(48_000, 1, 1.2, burst(0.7)), AudioTarget::Opus),
        ("AAC 16 kHz", Sent::aac(16_000, 2, 1.2, burst(0.7)), AudioTarget::Opus),
        ("Opus", Sent::opus(2, 1.2, burst(0.7)), AudioTarget::Aac),
        ("µ-law", Sent::mulaw(1.2, burst(0.7)), AudioTarget::Aac),
    ] {
        let (before, after) =
            (Heard::new(&sent.frames).click(0.5, 1.0), Heard::new(&sent.through(to)).click(0.5, 1.0));
        let moved = (after - before) * 1000.0;
        assert!(moved.abs() < 0.3, "{name}: {moved:+.2} ms");
    }
}

#[test]
fn lost_packets_are_filled_and_nothing_moves() {
    let tone_and_burst = |time: f64, channel| {
        if time < 0.6 { sine(500.0, 0.4)(time, channel) } else { burst(0.9)(time, channel) }
    };
    for sent in [Sent::opus(2, 1.2, tone_and_burst), Sent::mulaw(1.2, tone_and_burst)] {
        let lost = |n: usize| matches!(n, 15 | 20 | 21);
        let arrived: Vec<Frame> =
            sent.frames.iter().enumerate().filter(|(n, _)| !lost(*n)).map(|(_, f)| f.clone()).collect();
        let frames = transcode(AudioTarget::Aac, &arrived);
        let steps = frames.windows(2).map(|pair| pair[1].pts - pair[0].pts);
        steps.for_each(|step| assert!((21_333..=21_334).contains(&step), "{step}"));
        let (whole, heard) = (Heard::new(&sent.frames), Heard::new(&frames));
        assert!((heard.click(0.7, 1.0) - whole.click(0.7, 1.0)).abs() < 0.000_5);
        // The concealed part is not louder than before, and does not begin with silence.
        assert!(heard.between(0, 0.2, 0.6).iter().all(|s| s.abs() < 0.6));
        assert!(heard.rms(0.3, 0.31) > 0.05, "{}", heard.rms(0.3, 0.31));
    }
}

#[test]
fn a_long_gap_is_left_and_sound_goes_on_at_its_time() {
    let mut sent = Sent::opus(2, 1.2, burst(0.9));
    let whole = Heard::new(&sent.frames).click(0.7, 1.1);
    for frame in &mut sent.frames[30..] {
        frame.pts += 3 * SECOND;
        frame.dts += 3 * SECOND;
    }
    let frames = sent.through(AudioTarget::Aac);
    let gap = frames.windows(2).map(|pair| pair[1].pts - pair[0].pts).max().unwrap();
    assert!((2_700_000..3_000_000).contains(&gap), "{gap}");
    assert!((Heard::new(&frames).click(3.7, 4.1) - 3.0 - whole).abs() < 0.000_5);
}

#[test]
fn what_comes_twice_is_heard_once() {
    let sent = Sent::opus(2, 1.2, burst(0.9));
    let mut frames = sent.frames.clone();
    frames.insert(20, frames[19].clone());
    let heard = Heard::new(&transcode(AudioTarget::Aac, &frames));
    assert!((heard.click(0.7, 1.1) - Heard::new(&sent.frames).click(0.7, 1.1)).abs() < 0.000_5);
}

#[test]
fn a_clock_that_is_off_does_not_pull_sound_from_the_picture() {
    // 600 ppm: a whole packet in half a minute. Stamps in milliseconds, as in FLV.
    let mut sent = Sent::mulaw(40.0, burst(39.5));
    for frame in &mut sent.frames {
        frame.pts = (SECOND + ((frame.pts - SECOND) as f64 * 1.000_6) as Micros) / 1000 * 1000;
    }
    let frames = sent.through(AudioTarget::Opus);
    let steps = frames.windows(2).map(|pair| pair[1].pts - pair[0].pts);
    steps.for_each(|step| assert_eq!(step, 20_000));
    let click = Heard::new(&frames).click(39.3, 39.7) - 39.5 * 1.000_6;
    assert!(click.abs() < 0.002, "{:+.2} ms", click * 1000.0);
}

#[test]
fn another_configuration_begins_anew() {
    let (first, second) = (Sent::aac(44_100, 2, 0.4, two), Sent::aac(48_000, 1, 0.8, two));
    let (mut pipeline, mut out) = (Pipeline::new(AudioTarget::Opus), Vec::new());
    first.frames.iter().for_each(|frame| pipeline.push(frame, &mut out));
    let before = out.len();
    pipeline.reset();
    for frame in &second.frames {
        let later = |time| time + 450 * MILLI;
        let frame = Frame { dts: later(frame.dts), pts: later(frame.pts), ..frame.clone() };
        pipeline.push(&frame, &mut out);
    }
    assert!(out.windows(2).all(|pair| pair[0].dts < pair[1].dts));
    assert!(Arc::ptr_eq(&out[0].config, &AudioTarget::Opus.output(2)));
    let second: Vec<Frame> =
        out[before..].iter().map(|f| Frame { pts: f.pts - 450 * MILLI, ..f.clone() }).collect();
    assert_tone(&Heard::new(&second), 0, 700.0, 0.4);
}

#[test]
fn broken_packets_are_passed_over() {
    for (mut sent, to) in [
        (Sent::aac(48_000, 2, 1.2, burst(0.9)), AudioTarget::Opus),
        (Sent::opus(2, 1.2, burst(0.9)), AudioTarget::Aac),
    ] {
        let whole = Heard::new(&sent.frames).click(0.7, 1.1);
        for n in [0, 11, 12, 20] {
            sent.frames[n].data = Bytes::from_static(b"\xff\xff\xff\xff no sound \xff\xff\xff\xff");
        }
        let heard = Heard::new(&sent.through(to));
        assert!((heard.click(0.7, 1.1) - whole).abs() < 0.001, "{to:?}");
    }
}

/// A few packets of each codec, created once.
fn samples() -> &'static [Sent; 3] {
    static SAMPLES: std::sync::OnceLock<[Sent; 3]> = std::sync::OnceLock::new();
    SAMPLES.get_or_init(|| [Sent::aac(44_100, 2, 0.2, two), Sent::opus(2, 0.2, two), Sent::mulaw(0.2, two)])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// For any input: there is no panic, times rise, and the output is not longer than the times span.
    #[test]
    fn anything_may_come(
        which in 0usize..3,
        to_opus: bool,
        description in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..24)),
        changes in proptest::collection::vec((0usize..12, any::<proptest::sample::Index>(), any::<u8>()), 0..12),
        times in proptest::collection::vec(prop_oneof![
            6 => -30_000i64..30_000,
            1 => -5_000_000i64..5_000_000,
            1 => any::<i64>(),
        ], 12),
    ) {
        let sent = &samples()[which];
        let to = if to_opus { AudioTarget::Opus } else { AudioTarget::Aac };
        let mut config = (*sent.config).clone();
        if let Some(description) = description {
            config.description = description.into();
        }
        let config = Arc::new(config);
        let mut frames: Vec<Frame> = sent.frames.iter().cycle().take(12).cloned().collect();
        for (n, frame) in frames.iter_mut().enumerate() {
            frame.config = config.clone();
            frame.pts = (SECOND + n as i64 * 20_000).saturating_add(times[n]);
        }
        for (n, at, byte) in changes {
            let mut data = frames[n].data.to_vec();
            let at = at.index(data.len() + 1);
            if at == data.len() { data.truncate(usize::from(byte)) } else { data[at] = byte }
            frames[n].data = data.into();
        }
        let (mut pipeline, mut out) = (Pipeline::new(to), Vec::new());
        frames.iter().for_each(|frame| pipeline.push(frame, &mut out));
        prop_assert!(out.windows(2).all(|pair| pair[0].dts < pair[1].dts));
        // At most a second is filled in before each packet, and each lasts at most 120 ms.
        prop_assert!(out.len() < 12 * 60, "{} packets", out.len());
    }
}
