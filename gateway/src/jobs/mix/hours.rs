//! Four hours of a mix in virtual time: what happens between the hub and the encoder, without child processes. The hosts
//! have clocks that run wrong and networks that jitter, and they reconnect.

use bytes::Bytes;
use media::Frame;
use media::time::{MILLI, Micros, SECOND, from_ticks};

use super::Picture;
use super::audio::AudioMixer;
use super::input::{InputState, Shows};
use crate::context::Context;
use crate::core::admission::PublishGrant;
use crate::core::auth::Auth;
use crate::core::hub::{Hub, Publisher, StreamName};
use crate::derive::transcode::AudioTarget;
use crate::derive::transcode::codec;
use crate::derive::transcode::decoding::Decoding;
use crate::limits::LimitSettings;

const HOURS: Micros = 4;
const END: Micros = HOURS * 3600 * SECOND;
const PERIOD: Micros = SECOND / 30;
/// Duration of the parts in which audio is mixed: mixing four hours of it would take minutes.
const WINDOW: Micros = 20 * SECOND;
/// Beginnings of these parts: after the start, in the middle, and at the end.
const WINDOWS: [Micros; 3] = [30 * SECOND, END / 2, END - WINDOW];
/// Time between two reconnects of a host. None falls into a window.
const RECONNECTS_EVERY: Micros = 19 * 60 * SECOND;
const AWAY: Micros = 5 * SECOND;
/// Largest offset between a flash and its beep.
const OFFSET: Micros = 40 * MILLI;
const RATE: u32 = 48_000;

/// Encodes a second with a beep in its first 50 ms.
fn beeps() -> Vec<Frame> {
    let mut encoder = codec::encoder(AudioTarget::Opus, 2).unwrap();
    let (size, delay) = (encoder.frame(), encoder.delay() as i64);
    let packet = |n: usize| {
        let sample = |i: usize| {
            let t = (n * size + i) as f64 / f64::from(RATE);
            if t % 1.0 < 0.05 { 0.5 * (6283.0 * t).sin() as f32 } else { 0.0 }
        };
        let plane: Vec<f32> = (0..size).map(sample).collect();
        let time = from_ticks((n * size) as i64 - delay, RATE);
        let data = encoder.encode(&[&plane, &plane]).unwrap();
        Frame { number: 0, config: AudioTarget::Opus.output(2), dts: time, pts: time, key: true, data }
    };
    // The first second is the encoder's beginning.
    (0..100).map(packet).skip(50).collect()
}

fn picture(luma: u8) -> Picture {
    Picture::new(2, 2, Bytes::from(vec![luma; 6])).unwrap()
}

/// Returns how much later than others the network delivers frame `n`: up to 25 ms.
const fn jitter(n: i64) -> Micros {
    n * 7919 % 26 * MILLI
}

/// A host who flashes and beeps at the beginning of each second of its own clock.
struct Host {
    name: StreamName,
    ppm: f64,
    state: InputState,
    publisher: Option<Publisher>,
    /// When the present connection began, and its first presentation time.
    began: Micros,
    epoch: Micros,
    /// Numbers of the next video frame and the next audio packet.
    next: [i64; 2],
    /// Latest arrival, because a connection keeps the order.
    arrived: [Micros; 2],
    mixer: Option<AudioMixer>,
    mixed: Vec<Frame>,
    flashes: Vec<Micros>,
    white: bool,
    pictures: u64,
    longest_delay: Micros,
}

impl Host {
    fn new(name: &str, ppm: f64) -> Self {
        Self {
            name: StreamName::parse(name).unwrap(),
            ppm,
            state: InputState::default(),
            publisher: None,
            began: 0,
            epoch: 0,
            next: [0; 2],
            arrived: [0; 2],
            mixer: None,
            mixed: Vec::new(),
            flashes: Vec::new(),
            white: false,
            pictures: 0,
            longest_delay: 0,
        }
    }

    fn connect(&mut self, hub: &Hub, now: Micros) {
        let publisher = hub.publish(&PublishGrant::for_job(&self.name, "test")).unwrap();
        self.state.stream = Some(publisher.stream().clone());
        self.publisher = Some(publisher);
        (self.began, self.epoch) = (now, now % 1000 * SECOND);
        (self.next, self.arrived) = ([0; 2], [now; 2]);
    }

    fn disconnect(&mut self) {
        self.publisher = None;
        self.state.end();
    }

    /// Returns the time at which the host's clock shows `time` after its connection.
    fn at(&self, time: Micros) -> Micros {
        self.began + (time as f64 / (1.0 + self.ppm / 1e6)) as Micros
    }

    /// Takes what has arrived by `now`, as `follow` does.
    fn receive(&mut self, now: Micros, beeps: &[Frame], half: Micros) {
        loop {
            let time = self.next[0] * SECOND / 30;
            // 20 ms of network, and 5 ms in the decoder.
            let ready = (self.at(time) + 25 * MILLI + jitter(self.next[0])).max(self.arrived[0]);
            if ready > now {
                break;
            }
            self.arrived[0] = ready;
            let luma = if self.next[0] % 30 == 0 { 235 } else { 16 };
            self.state.clock.record(self.epoch + time, ready + half);
            self.state.add(self.epoch + time, picture(luma));
            self.next[0] += 1;
            self.pictures += 1;
        }
        loop {
            let n = self.next[1];
            let packet = &beeps[n as usize % 50];
            let time = n * 20 * MILLI + (packet.pts - (n % 50 + 50) * 20 * MILLI);
            // A packet is sent when it is complete.
            let ready = (self.at(time + 20 * MILLI) + 20 * MILLI + jitter(n)).max(self.arrived[1]);
            if ready > now {
                break;
            }
            self.arrived[1] = ready;
            let pts = self.epoch + time;
            self.state.clock.record(pts, ready);
            if let (Some(mixer), Some(offset)) = (&mut self.mixer, self.state.clock.offset(ready)) {
                mixer.push(1, &Frame { dts: pts, pts, ..packet.clone() }, pts + offset);
            }
            self.next[1] += 1;
        }
    }

    fn tick(&mut self, now: Micros, half: Micros) {
        self.state.choose(now, half);
        self.state.forget(now);
        self.longest_delay = self.longest_delay.max(self.state.clock.delay());
        let white = self.state.picture().is_some_and(|picture| picture.data()[0] > 200);
        if white && !self.white && self.mixer.is_some() {
            self.flashes.push(now);
        }
        self.white = white;
        if let Some(mixer) = &mut self.mixer {
            self.mixed.extend(mixer.mix(now).into_iter().map(|mixed| mixed.frame));
        }
    }

    /// Returns the times at which beeps begin in the mixed audio.
    fn beeps(&self) -> Vec<Micros> {
        let start = self.mixed[0].pts;
        let mut decoding = Decoding::new(&self.mixed[0].config, 2).unwrap();
        let (mut beeps, mut quiet_since, mut n) = (Vec::new(), 0_i64, 0_i64);
        for frame in &self.mixed {
            decoding.decode(&frame.data).unwrap();
            for sample in &decoding.pcm.planes[0] {
                if sample.abs() > 0.1 {
                    if n - quiet_since > i64::from(RATE) / 2 {
                        beeps.push(start + from_ticks(n, RATE));
                    }
                    quiet_since = n;
                }
                n += 1;
            }
        }
        beeps
    }

    /// Checks the part of the mix that has ended.
    fn check(&mut self) {
        for pair in self.mixed.windows(2) {
            assert_eq!(pair[1].pts - pair[0].pts, 20 * MILLI, "a gap in the audio");
        }
        let beeps = self.beeps();
        let offsets: Vec<Micros> = self
            .flashes
            .iter()
            .filter_map(|flash| beeps.iter().map(|beep| beep - flash).min_by_key(|offset| offset.abs()))
            .collect();
        assert!(offsets.len() >= 15 && beeps.len() >= 15, "{}: {offsets:?} {beeps:?}", self.ppm);
        // The first second may be the beginning of the audio.
        assert!(offsets[1..].iter().all(|offset| offset.abs() <= OFFSET), "{}: {offsets:?}", self.ppm);
        (self.mixer, self.mixed, self.flashes) = (None, Vec::new(), Vec::new());
    }
}

// The hub needs a runtime.
#[tokio::test]
async fn four_hours_keep_audio_and_video_together_without_gaps() {
    let hub = Context::new(LimitSettings::default(), Auth::default()).hub.clone();
    let beeps = beeps();
    let half = PERIOD / 2;
    let mut hosts = [Host::new("live/slow", -200.0), Host::new("live/fast", 200.0)];
    hosts.iter_mut().for_each(|host| host.connect(&hub, 0));
    let mut windows = WINDOWS.into_iter().peekable();
    let mut until = None;
    let mut away = 0;
    for tick in 0..=END * 30 / SECOND {
        let now = tick * SECOND / 30;
        if windows.next_if(|begin| now >= *begin).is_some() {
            until = Some(now + WINDOW - SECOND);
            for host in &mut hosts {
                let mut mixer = AudioMixer::new(now);
                mixer.add(1);
                host.mixer = Some(mixer);
            }
        }
        if until.is_some_and(|until| now >= until) {
            until = None;
            hosts.iter_mut().for_each(Host::check);
        }
        for (n, host) in hosts.iter_mut().enumerate() {
            // The two reconnect at other times.
            let phase = (now + n as Micros * 7 * 60 * SECOND) % RECONNECTS_EVERY;
            match &host.publisher {
                Some(_) if until.is_none() && now > RECONNECTS_EVERY && phase < AWAY => {
                    host.disconnect();
                    away += 1;
                }
                None if phase >= AWAY => host.connect(&hub, now),
                Some(_) => host.receive(now, &beeps, half),
                None => {}
            }
            host.tick(now, half);
            if host.publisher.is_none() && phase > 4 * SECOND {
                assert_eq!(host.state.shows(now), Shows::Nothing, "an input without a publisher leaves");
            }
        }
    }
    assert!(until.is_none() && away >= 20, "{away}");
    for host in &hosts {
        // Pictures that were not shown: at each beginning, and where two of them fall into one tick, by their drift.
        let shown = u64::from(host.state.shown);
        assert!(shown * 1000 >= host.pictures * 985, "{}: {shown} of {}", host.ppm, host.pictures);
        assert!(host.longest_delay < 100 * MILLI, "{}: {}", host.ppm, host.longest_delay);
        assert_eq!(host.state.waiting_pictures() / 8, 0, "few pictures wait");
    }
}
