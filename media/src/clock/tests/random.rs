use super::*;

/// A fault of one track's clock.
#[derive(Debug, Clone, Copy)]
enum Event {
    /// The clock jumps by this many milliseconds.
    Step(Micros),
    /// The network delays frames for this many milliseconds, then delivers all at once.
    Stall(Micros),
    /// One frame has a random timestamp.
    Wild(Micros),
}

/// An index that selects both tracks.
const BOTH: usize = 2;

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (-4_000_000i64..4_000_000).prop_map(Event::Step),
        (-6_000i64..6_000).prop_map(Event::Step),
        (100i64..4_000).prop_map(Event::Stall),
        (-4_000_000i64..4_000_000).prop_map(Event::Wild),
        (-6_000i64..6_000).prop_map(Event::Wild),
    ]
}

/// Generates a minute of video and audio on a network with jitter. Each event has a track and a second.
fn minute(
    bases: [Micros; 2],
    events: &[(usize, Micros, Event)],
    rate: Micros,
    jitter: Micros,
    seed: u64,
) -> Placed {
    let mut feed = Feed::new();
    let mut offsets = bases.map(|base| base * MILLI);
    let mut events = events.to_vec();
    events.sort_by_key(|event| event.1);
    let mut due = events.into_iter().peekable();
    let (mut random, mut held_until, mut arrived) = (seed | 1, 0, 0);
    let (mut frames, mut wild) = ([0i64; 2], [0; 2]);
    loop {
        let times = [frames[VIDEO] * SECOND / rate, frames[AUDIO] * 1_024_000_000 / 44_100];
        let track = usize::from(times[AUDIO] < times[VIDEO]);
        let at = times[track];
        if at >= 60 * SECOND {
            return feed.placed;
        }
        frames[track] += 1;
        while let Some((which, _, event)) = due.next_if(|event| event.1 * SECOND <= at) {
            for track in (0..2).filter(|track| which == BOTH || which == *track) {
                match event {
                    Event::Step(by) => offsets[track] += by * MILLI,
                    Event::Stall(by) => held_until = at + by * MILLI,
                    Event::Wild(by) => wild[track] = by * MILLI,
                }
            }
        }
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let late = if jitter > 0 { (random % (jitter as u64 * 1000)) as i64 } else { 0 };
        arrived = arrived.max(at + late).max(held_until);
        let source = std::mem::take(&mut wild[track]) + at + offsets[track];
        feed.send(track, source, 0, arrived);
    }
}

/// Returns whether a clock jumps forward while delayed frames arrive. This looks the same as a publisher that
/// has dropped frames.
fn drops_frames(events: &[(usize, Micros, Event)]) -> bool {
    let stalls = || events.iter().filter(|event| matches!(event.2, Event::Stall(_)));
    events.iter().any(|event| match event.2 {
        Event::Step(by) | Event::Wild(by) => {
            (500..6_000).contains(&by) && stalls().any(|stall| (0..10).contains(&(event.1 - stall.1)))
        }
        Event::Stall(_) => false,
    })
}

#[test]
fn a_leap_of_both_clocks_is_the_same_for_both_whatever_it_is_taken_for() {
    for by in (300..800).step_by(29) {
        for (rate, jitter) in [(25, 0), (30, 20), (58, 38), (58, 79)] {
            for seed in [3_816_530_545_616_427_054, 1] {
                let placed = minute([0; 2], &[(BOTH, 14, Event::Step(by))], rate, jitter, seed);
                placed.assert_rises();
                let last = placed.apart().last().copied().unwrap_or(0);
                assert!(
                    last.abs() <= (150 + 2 * jitter) * MILLI,
                    "{by} ms, {rate}/s, jitter {jitter}: {last} µs"
                );
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_clocks_become_one(
        bases in prop::array::uniform2(0i64..4_000_000_000),
        same in any::<bool>(),
        events in prop::collection::vec((0usize..=BOTH, 2i64..50, event()), 0..4),
        rate in 5i64..60,
        jitter in 0i64..80,
        seed in any::<u64>(),
    ) {
        let bases = if same { [bases[0]; 2] } else { bases };
        let placed = minute(bases, &events, rate, jitter, seed);
        placed.assert_rises();
        // A fault of both clocks keeps the distance between the tracks.
        if same && events.iter().all(|event| event.0 == BOTH) {
            let last = placed.apart().last().copied().unwrap_or(0);
            prop_assert!(last.abs() <= (150 + 2 * jitter) * MILLI, "{last} µs apart");
        }
        for track in [VIDEO, AUDIO].into_iter().filter(|_| !drops_frames(&events)) {
            // A small step forward may mean lost frames.
            placed.assert_real_time(track, 100 * MILLI + 500 * MILLI * events.len() as Micros);
        }
    }
}
