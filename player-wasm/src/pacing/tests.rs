use super::*;

/// Every world begins with two seeks: to its first picture, and to live.
///
/// A stream of frames every `STEP`, a network and an element, in virtual time.
struct World {
    pacer: Pacer,
    now: Micros,
    /// Media time made by the publisher, at `now`.
    live: Micros,
    /// Media time that has arrived.
    end: Micros,
    begin: Micros,
    head: Playhead,
    rate: i64,
    seeks: usize,
    /// Time in which the element had nothing to show.
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

    /// Lets time pass; a frame is delivered up to `jitter` late, nothing at all while `held`.
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
    // The one in a hundred that the percentile leaves out.
    assert!(world.starved < 100 * MILLI, "{}", world.starved);
    assert_eq!(world.seeks, 2);
    assert!((250 * MILLI..700 * MILLI).contains(&world.lag()), "{}", world.lag());
    // And when the network is good again, the latency goes down again.
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
    // Its clock stands still, as the hub's does between two publishers.
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
