use super::*;

/// A stream of frames every `STEP`, a network and a media element, in virtual time.
///
/// Every simulation begins with two seeks: to its first video frame, and to live.
struct World {
    pacer: Pacer,
    now: Micros,
    /// Media time that the publisher has produced, at `now`.
    live: Micros,
    /// Media time that has arrived.
    end: Micros,
    begin: Micros,
    head: Playhead,
    rate: i64,
    seeks: usize,
    /// Total time in which the element had nothing to show.
    starved: Micros,
    noise: u32,
}

const STEP: Micros = 10 * MILLI;
const FRAME: Micros = 40 * MILLI;

impl World {
    fn new(latency: Latency) -> Self {
        let begin = 1_500 * MILLI;
        Self {
            pacer: Pacer::new(latency, false),
            now: 100 * SECOND,
            live: 3 * SECOND,
            end: begin,
            begin,
            head: Playhead { starved: true, ..Playhead::default() },
            rate: 1_000,
            seeks: 0,
            starved: 0,
            noise: 1,
        }
    }

    /// Lets time pass. A frame is delivered up to `jitter` late; nothing is delivered while `held`.
    fn run(&mut self, duration: Micros, jitter: Micros, held: bool) {
        let until = self.now + duration;
        while self.now < until {
            self.now += STEP;
            self.live += STEP;
            self.noise = self.noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let late = if jitter == 0 { 0 } else { Micros::from(self.noise >> 8) % jitter };
            let end = (self.live - late) / FRAME * FRAME;
            if !held && end > self.end {
                self.end = end;
                self.pacer.arrived(self.now, end);
            }
            let inside = self.begin <= self.head.time && self.head.time < self.end;
            if !inside && !self.head.starved {
                self.pacer.stalled(self.now);
            }
            self.head.starved = !inside;
            if inside && !self.head.paused {
                self.head.time = (self.head.time + STEP * self.rate / 1_000).min(self.end);
            } else if !self.head.paused && self.seeks > 0 {
                self.starved += STEP;
            }
            if self.end > self.begin {
                match self.pacer.poll(self.now, self.head, &[(self.begin, self.end)]) {
                    Some(Action::Rate(rate)) => self.rate = rate,
                    Some(Action::Seek(to)) => {
                        self.head.time = to;
                        self.seeks += 1;
                    }
                    None => {}
                }
            }
        }
    }

    fn lag(&self) -> Micros {
        self.live - self.head.time
    }
}

#[test]
fn joining_in_the_middle_of_a_gop_shows_its_first_picture_and_goes_live() {
    let mut world = World::new(Latency::Realtime);
    world.run(STEP, 0, false);
    assert_eq!((world.seeks, world.head.time), (1, world.begin));
    world.run(200 * MILLI, 0, false);
    assert_eq!(world.seeks, 2);
    world.run(10 * SECOND, 0, false);
    assert_eq!((world.seeks, world.starved), (2, 0));
    assert!(world.lag() < 150 * MILLI, "{}", world.lag());
}

#[test]
fn a_jittery_network_is_answered_with_a_larger_target() {
    let mut world = World::new(Latency::Realtime);
    world.run(10 * SECOND, 300 * MILLI, false);
    world.starved = 0;
    world.run(60 * SECOND, 300 * MILLI, false);
    // The one percent that the percentile leaves out.
    assert!(world.starved < 100 * MILLI, "{}", world.starved);
    assert_eq!(world.seeks, 2);
    assert!((250 * MILLI..700 * MILLI).contains(&world.lag()), "{}", world.lag());
    // When the network is good again, the latency decreases again.
    world.run(90 * SECOND, 0, false);
    assert_eq!(world.seeks, 2);
    assert!(world.lag() < 200 * MILLI, "{}", world.lag());
}

#[test]
fn after_an_outage_it_jumps_to_live_within_a_second() {
    for outage in [2, 5, 10] {
        let mut world = World::new(Latency::Realtime);
        world.run(5 * SECOND, 0, false);
        world.run(outage * SECOND, 0, true);
        world.run(SECOND, 0, false);
        assert_eq!(world.seeks, 3);
        assert!(world.lag() < 250 * MILLI, "{}", world.lag());
    }
}

#[test]
fn a_publisher_that_pauses_is_not_chased() {
    let mut world = World::new(Latency::Realtime);
    world.run(5 * SECOND, 0, false);
    // The stream's clock stands still, like the hub's between two publishers.
    world.run(4 * SECOND, 0, true);
    world.live -= 4 * SECOND;
    world.run(10 * SECOND, 0, false);
    assert_eq!(world.seeks, 2);
    assert!(world.lag() < 250 * MILLI, "{}", world.lag());
}

#[test]
fn pausing_and_playing_returns_to_live() {
    let mut world = World::new(Latency::Low);
    world.run(3 * SECOND, 0, false);
    world.head.paused = true;
    world.run(800 * MILLI, 0, false);
    world.head.paused = false;
    world.pacer.resume();
    world.run(50 * MILLI, 0, false);
    assert_eq!(world.seeks, 3);
    assert!(world.lag() < 700 * MILLI, "{}", world.lag());
}

#[test]
fn a_tab_that_is_shown_again_is_live_at_once() {
    let mut world = World::new(Latency::Realtime);
    world.run(3 * SECOND, 0, false);
    world.head.hidden = true;
    world.head.paused = true;
    world.run(20 * SECOND, 0, false);
    world.begin = world.end - 10 * SECOND;
    world.head.hidden = false;
    world.head.paused = false;
    world.run(50 * MILLI, 0, false);
    assert_eq!(world.seeks, 3);
    assert!(world.lag() < 300 * MILLI, "{}", world.lag());
}

#[test]
fn a_hole_is_jumped() {
    let mut pacer = Pacer::new(Latency::Normal, false);
    let head = Playhead { time: 2 * SECOND, starved: true, ..Playhead::default() };
    pacer.arrived(0, 2 * SECOND);
    let whole = [(SECOND, 2 * SECOND)];
    assert!(matches!(pacer.poll(SECOND, head, &whole), Some(Action::Seek(_))));
    let ranges = [(SECOND, 2 * SECOND), (2_500 * MILLI, 4 * SECOND), (4_500 * MILLI, 6 * SECOND)];
    assert_eq!(pacer.poll(3 * SECOND, head, &ranges), Some(Action::Seek(2_500 * MILLI)));
}

#[test]
fn stalls_raise_the_target_and_it_comes_down_again() {
    let mut pacer = Pacer::new(Latency::Realtime, false);
    for n in 0..200 {
        pacer.arrived(n * FRAME, SECOND + n * FRAME);
        let head = Playhead { time: SECOND + n * FRAME - 80 * MILLI, ..Playhead::default() };
        pacer.poll(n * FRAME, head, &[(0, SECOND + n * FRAME)]);
    }
    let now = 200 * FRAME;
    let before = pacer.target(now);
    pacer.stalled(now);
    assert_eq!(pacer.target(now), before + 50 * MILLI);
    assert_eq!(pacer.target(now + 30 * SECOND), before);
}

/// The viewer seeks; the element stays `seeking` until it reaches buffered media.
fn go(world: &mut World, to: Micros) {
    world.pacer.sought(world.now, to);
    world.head.time = to;
    world.head.seeking = !(world.begin <= to && to < world.end);
    world.seeks = 0;
    for _ in 0..100 {
        world.run(STEP, 0, false);
        if world.begin <= world.head.time && world.head.time < world.end {
            world.head.seeking = false;
        }
    }
}

#[test]
fn a_viewer_who_goes_back_stays_back_until_live_is_asked_for() {
    for latency in [Latency::Realtime, Latency::Low, Latency::Normal] {
        let mut world = World::new(latency);
        world.run(30 * SECOND, 0, false);
        let back = world.head.time - 5 * SECOND;
        go(&mut world, back);
        assert!(world.pacer.behind());
        let lag = world.lag();
        world.run(60 * SECOND, 0, false);
        assert_eq!((world.seeks, world.rate), (0, 1_000), "{latency:?}");
        assert!((world.lag() - lag).abs() < 100 * MILLI, "{}", world.lag());
        // A later pause, and a hidden tab, change nothing.
        world.head.paused = true;
        world.head.hidden = true;
        world.run(3 * SECOND, 0, false);
        (world.head.paused, world.head.hidden) = (false, false);
        world.pacer.resume();
        world.run(SECOND, 0, false);
        assert_eq!(world.seeks, 0);
        world.pacer.go_live(false);
        world.run(10 * SECOND, 0, false);
        assert!(world.lag() < 3 * SECOND && !world.pacer.behind(), "{}", world.lag());
    }
}

#[test]
fn a_seek_to_what_is_not_buffered_goes_to_the_nearest_range_or_live() {
    let mut world = World::new(Latency::Low);
    world.run(2 * SECOND, 0, false);
    for to in [0, -20 * SECOND] {
        go(&mut world, to);
        assert_eq!(world.seeks, 1);
        assert!(world.head.time - world.begin < SECOND, "at the begin of what is buffered");
        assert!(!world.head.seeking);
    }
    let ahead = world.end + 3_600 * SECOND;
    go(&mut world, ahead);
    assert!(world.lag() < 2 * SECOND, "{}", world.lag());
    // The same for a stream that stands still.
    world.head.paused = true;
    go(&mut world, 0);
    assert_eq!(world.head.time, world.begin);
}

#[test]
fn a_seek_into_a_hole_takes_the_nearer_side_and_waits_for_what_is_fetched() {
    let mut pacer = Pacer::new(Latency::Low, true);
    pacer.set_file();
    let ranges = [(0, 10 * SECOND), (20 * SECOND, 30 * SECOND)];
    pacer.arrived(0, 30 * SECOND);
    pacer.poll(0, Playhead::default(), &ranges);
    let mut at = |time, fetching| {
        let head = Playhead { time, seeking: true, fetching, ..Playhead::default() };
        pacer.sought(0, time);
        let early = pacer.poll(0, head, &ranges);
        (early, pacer.poll(LOST, head, &ranges))
    };
    assert_eq!(at(18 * SECOND, false), (None, Some(Action::Seek(20 * SECOND))));
    assert_eq!(at(11 * SECOND, false), (None, Some(Action::Seek(9_900 * MILLI))));
    assert_eq!(at(99 * SECOND, false), (None, Some(Action::Seek(29_900 * MILLI))));
    assert_eq!(at(18 * SECOND, true), (None, None));
    assert_eq!(at(5 * SECOND, false), (None, None), "the element finds that by itself");
}

#[test]
fn a_seek_into_a_piece_too_short_to_begin_with_goes_on_to_the_next_range() {
    let mut pacer = Pacer::new(Latency::Realtime, true);
    pacer.arrived(0, 5 * SECOND);
    let ranges = [(3 * SECOND, 3_136 * MILLI), (3_166 * MILLI, 5 * SECOND)];
    pacer.poll(0, Playhead::default(), &ranges);
    let head = Playhead { time: 3 * SECOND, seeking: true, starved: true, ..Playhead::default() };
    assert_eq!(pacer.poll(SECOND, head, &ranges), None);
    assert_eq!(pacer.poll(SECOND + STUCK, head, &ranges), Some(Action::Seek(3_166 * MILLI)));
    // If no media follows, it waits for more.
    assert_eq!(pacer.poll(3 * SECOND, head, &ranges[..1]), None);
    assert_eq!(pacer.poll(9 * SECOND, head, &ranges[..1]), None);
}
