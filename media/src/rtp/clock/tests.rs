use proptest::prelude::*;

use super::*;

const MINUTE: Micros = 60 * SECOND;

/// A publisher and its network path, by times on the receiver's clock.
#[derive(Clone, Copy)]
struct Sender {
    /// The smallest delay of each track.
    audio_delay: Micros,
    video_delay: Micros,
    jitter: Micros,
    /// Drift of the sender's clock relative to the receiver's, in parts per million.
    drift: i64,
    audio_rtp: u32,
    video_rtp: u32,
    /// When the first report of each track comes. Further ones follow every 5 s.
    audio_report: Option<Micros>,
    video_report: Option<Micros>,
}

const SENDER: Sender = Sender {
    audio_delay: 40 * MILLI,
    video_delay: 120 * MILLI,
    jitter: 30 * MILLI,
    drift: 0,
    audio_rtp: 0x1234_5678,
    video_rtp: 0xffff_0000,
    audio_report: Some(2 * SECOND),
    video_report: Some(SECOND),
};

/// The time that a packet got.
#[derive(Debug, Clone, Copy)]
struct Placed {
    track: Track,
    captured: Micros,
    arrival: Micros,
    pts: Micros,
}

impl Placed {
    fn delay(&self) -> Micros {
        self.pts - self.captured
    }
}

struct Simulation {
    sender: Sender,
    clock: RtpClock,
    random: u64,
    placed: Vec<Placed>,
}

impl Simulation {
    fn of(sender: Sender) -> Self {
        Self { sender, clock: RtpClock::new(48_000), random: 7, placed: Vec::new() }
    }

    fn jitter(&mut self) -> Micros {
        // Knuth's MMIX generator.
        self.random =
            self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.random >> 33) as Micros % (self.sender.jitter + 1)
    }

    /// The sender's time.
    fn ntp(&self, at: Micros) -> Micros {
        3_900_000_000 * SECOND + at + at * self.sender.drift / 1_000_000
    }

    fn rtp(&self, track: Track, at: Micros) -> u32 {
        let (rate, first) = match track {
            Track::Video => (90_000, self.sender.video_rtp),
            Track::Audio => (48_000, self.sender.audio_rtp),
        };
        first.wrapping_add(crate::time::to_ticks(self.ntp(at) - self.ntp(0), rate) as u32)
    }

    /// Captures audio every 20 ms and video every 33 1/3 ms, for the tracks that `send`. Returns the packets that
    /// were captured from `from` to `to`.
    fn run(&mut self, from: Micros, to: Micros, send: impl Fn(Track) -> bool) -> &[Placed] {
        let mut packets = Vec::new();
        for (track, step) in [(Track::Audio, 20_000), (Track::Video, 33_333)] {
            if !send(track) {
                continue;
            }
            let delay = if track == Track::Audio { self.sender.audio_delay } else { self.sender.video_delay };
            let mut before = 0;
            for captured in (from..to).step_by(step) {
                // Packets of one track stay in order.
                before = before.max(captured + delay + self.jitter());
                packets.push((before, track, captured));
            }
        }
        packets.sort_by_key(|&(arrival, ..)| arrival);
        let first = self.placed.len();
        for (arrival, track, captured) in packets {
            let report =
                if track == Track::Video { self.sender.video_report } else { self.sender.audio_report };
            if let Some(report) = report.filter(|&report| report <= arrival) {
                // The last report is repeated with each packet.
                let at = report + (arrival - report) / (5 * SECOND) * (5 * SECOND);
                self.clock.report(track, self.ntp(at), self.rtp(track, at));
            }
            let pts = self.clock.timestamp(track, self.rtp(track, captured), arrival);
            self.placed.push(Placed { track, captured, arrival, pts });
        }
        &self.placed[first..]
    }
}

/// Times increase, and never faster or slower than corrections allow.
fn assert_smooth(placed: &[Placed]) {
    for (track, most) in [(Track::Video, 18), (Track::Audio, 450)] {
        let of: Vec<_> = placed.iter().filter(|p| p.track == track).collect();
        for pair in of.windows(2) {
            let (captured, pts) = (pair[1].captured - pair[0].captured, pair[1].pts - pair[0].pts);
            assert!(pts > 0 && (pts - captured).abs() <= captured / most + 25, "{pair:?}");
        }
    }
}

/// The largest distance between video and audio.
fn most_apart(placed: &[Placed]) -> Micros {
    let mut last = [None; 2];
    let mut most = 0;
    for p in placed {
        last[p.track as usize] = Some(p.delay());
        if let [Some(video), Some(audio)] = last {
            most = most.max(Micros::abs(video - audio));
        }
    }
    most
}

#[test]
fn picture_and_sound_meet_smoothly_once_both_have_reports() {
    let mut sim = Simulation::of(SENDER);
    let placed = sim.run(0, 30 * SECOND, |_| true);
    assert_smooth(placed);
    assert_eq!(placed[0].pts, placed[0].arrival, "nothing waits for a report");
    let until = |at: Micros| placed.iter().position(|p| p.arrival > at).unwrap();
    assert!(most_apart(&placed[..until(2 * SECOND)]) >= 50 * MILLI, "they were apart");
    assert!(most_apart(&placed[until(8 * SECOND)..]) <= MILLI);
    assert!(sim.clock.error().is_some_and(|error| error.abs() <= MILLI));
}

#[test]
fn a_late_report_and_one_of_one_track_change_nothing_before() {
    for (audio_report, video_report) in [(None, Some(SECOND)), (Some(SECOND), None), (None, None)] {
        let mut sim = Simulation::of(Sender { audio_report, video_report, ..SENDER });
        let placed = sim.run(0, MINUTE, |_| true);
        assert_smooth(placed);
        // By their arrival they are 80 ms apart, and the jitter of the first packets is corrected over time.
        assert!(most_apart(placed) <= 110 * MILLI);
        assert!(placed[placed.len() - 1].delay() > 0);
        assert_eq!(sim.clock.error(), None);
        // Now the other track's report comes.
        sim.sender = Sender { audio_report: Some(MINUTE), video_report: Some(MINUTE), ..SENDER };
        sim.run(MINUTE, MINUTE + 10 * SECOND, |_| true);
        assert_smooth(&sim.placed);
        assert!(most_apart(&sim.placed[sim.placed.len() - 200..]) <= MILLI);
    }
}

#[test]
fn clocks_that_go_apart_add_no_latency_in_six_hours() {
    for drift in [-100, 100] {
        let mut sim = Simulation::of(Sender { drift, ..SENDER });
        for hour in 0..6 {
            let placed = sim.run(hour * 60 * MINUTE, (hour + 1) * 60 * MINUTE, |_| true);
            assert_smooth(placed);
            let settled = if hour == 0 { placed.len() / 10 } else { 0 };
            assert!(most_apart(&placed[settled..]) <= 2 * MILLI);
            for p in &placed[settled..] {
                // Audio has the time of a packet without queueing delay.
                assert!((p.delay() - SENDER.audio_delay).abs() <= 6 * MILLI, "{p:?}");
            }
            sim.placed.clear();
        }
    }
}

#[test]
fn a_new_source_goes_on_where_the_old_one_was() {
    let mut sim = Simulation::of(SENDER);
    sim.run(0, 20 * SECOND, |_| true);
    // Another camera: its RTP timestamps begin anew, and its report comes later.
    sim.sender = Sender { video_rtp: 0x2000_0000, video_report: Some(22 * SECOND), ..SENDER };
    sim.run(20 * SECOND, 40 * SECOND, |_| true);
    for track in [Track::Video, Track::Audio] {
        let pts: Vec<_> = sim.placed.iter().filter(|p| p.track == track).map(|p| p.pts).collect();
        assert!(pts.windows(2).all(|pair| pair[0] < pair[1] && pair[1] - pair[0] < 150 * MILLI));
    }
    assert!(most_apart(&sim.placed[sim.placed.len() - 500..]) <= MILLI);
    // A new SSRC is a new source even if its timestamps are near those of the old one.
    let (rtp, at) = (sim.rtp(Track::Video, 40 * SECOND), 40 * SECOND);
    sim.clock.restart(Track::Video);
    assert_eq!(sim.clock.timestamp(Track::Video, rtp.wrapping_sub(9_000), at + SECOND), at + SECOND);
}

#[test]
fn a_track_that_pauses_comes_back_in_its_place() {
    let mut sim = Simulation::of(Sender { drift: 100, ..SENDER });
    sim.run(0, 20 * SECOND, |_| true);
    for p in sim.run(20 * SECOND, 30 * MINUTE, |track| track == Track::Video) {
        // Without audio, the video follows its own arrival times.
        assert!((35 * MILLI..125 * MILLI).contains(&p.delay()), "{p:?}");
    }
    let back = sim.placed.len();
    sim.run(30 * MINUTE, 30 * MINUTE + 20 * SECOND, |_| true);
    assert!(most_apart(&sim.placed[back..]) <= 5 * MILLI);
}

#[test]
fn what_is_far_off_jumps_forwards_only() {
    for (audio_delay, video_delay) in [(40 * MILLI, 900 * MILLI), (900 * MILLI, 40 * MILLI)] {
        let mut sim = Simulation::of(Sender { audio_delay, video_delay, ..SENDER });
        let placed = sim.run(0, 10 * SECOND, |_| true);
        for track in [Track::Video, Track::Audio] {
            let pts: Vec<_> = placed.iter().filter(|p| p.track == track).map(|p| p.pts).collect();
            assert!(pts.windows(2).all(|pair| pair[0] < pair[1]));
        }
        // Both still follow their arrival times, and the video follows the audio.
        assert!(most_apart(&placed[placed.len() - 200..]) <= 3 * MILLI);
    }
}

#[test]
fn reports_nobody_can_believe_are_not() {
    let mut sim = Simulation::of(Sender { audio_report: None, ..SENDER });
    sim.run(0, 3 * SECOND, |_| true);
    sim.clock.report(Track::Audio, 12 * SECOND, sim.rtp(Track::Audio, 3 * SECOND));
    assert_eq!(sim.clock.error(), None);
    sim.run(3 * SECOND, 6 * SECOND, |_| true);
    assert_smooth(&sim.placed);
    // Then the sender sets its clock, and the reports of both tracks agree.
    sim.sender = Sender { audio_report: Some(6 * SECOND), ..SENDER };
    sim.run(6 * SECOND, 20 * SECOND, |_| true);
    assert_smooth(&sim.placed);
    assert!(most_apart(&sim.placed[sim.placed.len() - 200..]) <= MILLI);
}

#[test]
fn a_burst_after_an_outage_is_no_new_source() {
    let mut clock = RtpClock::new(48_000);
    let place = |clock: &mut RtpClock, at: Micros, arrival: Micros| {
        clock.timestamp(Track::Audio, crate::time::to_ticks(at, 48_000) as u32, arrival) - at
    };
    for at in 0..500 {
        assert_eq!(place(&mut clock, at * 20_000, at * 20_000 + 30_000), 30_000);
    }
    // Nothing comes for 3 s, then everything at once.
    for at in 500..650 {
        assert_eq!(place(&mut clock, at * 20_000, 13_030_000), 30_000);
    }
    assert_eq!(place(&mut clock, 13_000_000, 13_030_000), 30_000);
    // The same, but the network has lost packets in between.
    assert_eq!(place(&mut clock, 13_020_000, 16_100_000), 30_000);
    assert_eq!(place(&mut clock, 16_020_000, 16_100_000), 30_000);
}

#[test]
fn reports_of_before_are_forgotten() {
    let mut sim = Simulation::of(SENDER);
    sim.run(0, 20 * SECOND, |_| true);
    assert!(sim.clock.error().is_some());
    // The sender sets its clock: until both tracks have new reports, there is no error.
    let at = 20 * SECOND;
    let (video, audio) = (sim.rtp(Track::Video, at), sim.rtp(Track::Audio, at));
    sim.clock.report(Track::Video, sim.ntp(at) + 2 * SECOND, video);
    assert_eq!(sim.clock.error(), None);
    sim.clock.report(Track::Audio, sim.ntp(at) + 2 * SECOND, audio);
    assert!(sim.clock.error().is_some_and(|error| error.abs() <= MILLI));
    // Another camera, and a repetition of the old camera's report.
    sim.clock.timestamp(Track::Video, video.wrapping_sub(180_000), at + SECOND);
    sim.clock.report(Track::Video, sim.ntp(at) + 2 * SECOND, video);
    assert_eq!(sim.clock.error(), None);
}

proptest! {
    /// Later RTP timestamps always get later times, whatever arrives and whatever reports say.
    #[test]
    fn time_goes_on(
        steps in prop::collection::vec(
            (any::<bool>(), 1..100_000u32, -50_000..200_000i64, prop::option::weighted(0.3, any::<(i64, u32)>())),
            1..200,
        ),
        start: (u32, u32),
    ) {
        let mut clock = RtpClock::new(48_000);
        let (mut rtp, mut arrival) = ([start.0, start.1], 0);
        let mut last = [Micros::MIN; 2];
        for (video, step, wait, report) in steps {
            let (at, track) = if video { (0, Track::Video) } else { (1, Track::Audio) };
            rtp[at] = rtp[at].wrapping_add(step);
            arrival += wait;
            if let Some((ntp, time)) = report {
                clock.report(track, ntp, if ntp % 2 == 0 { time } else { rtp[at] });
            }
            let pts = clock.timestamp(track, rtp[at], arrival);
            prop_assert!(pts > last[at]);
            last[at] = pts;
        }
    }
}
