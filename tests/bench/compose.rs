//! Cost of composing a picture of a mix, without decoding and encoding.

use std::hint::black_box;
use std::time::{Duration, Instant};

use gateway::jobs::mix::Picture;
use gateway::jobs::mix::compose::{Compositor, FADE, Fonts, Layout, Look, Source};
use media::time::{MILLI, SECOND};

use crate::percentile;

const CANVAS: (u32, u32) = (1280, 720);
const TICKS: i64 = 300;
/// Pictures of each input that follow each other.
const PICTURES: usize = 3;

pub(crate) fn run() {
    println!("ms for each picture of {}x{}, with names: median, and the best", CANVAS.0, CANVAS.1);
    let grid = || Look { layout: Layout::Grid, ..Look::default() };
    let side = || Look { layout: Layout::SideBySide, ..Look::default() };
    measure("1 x 720p", &grid(), 1, (1280, 720), true);
    measure("2 x 720p side by side", &side(), 2, (1280, 720), true);
    measure("2 x 720p, a grid", &grid(), 2, (1280, 720), true);
    measure("4 x 360p, a grid", &grid(), 4, (640, 360), true);
    measure("10 x 180p, a grid", &grid(), 10, (320, 180), true);
    measure("1 x 360x640, portrait", &grid(), 1, (360, 640), true);
    measure("4 x 720p, a grid", &grid(), 4, (1280, 720), true);
    measure("4 x 720p that stand still", &grid(), 4, (1280, 720), false);
    let fading = Look { fade: true, ..grid() };
    println!("{:<28} {}", "4 x 360p, in a fade", figures(&mut fade(&fading)));
}

/// Composes with a new picture of each input at each tick, if they move.
fn measure(name: &str, look: &Look, inputs: usize, size: (u32, u32), moving: bool) {
    let pictures = pictures(size);
    let ids: Vec<String> = (0..inputs).map(|n| format!("Participant {n}")).collect();
    let mut compositor = compositor();
    let mut times: Vec<Duration> = (0..TICKS)
        .map(|tick| {
            let picture = &pictures[if moving { tick as usize % PICTURES } else { 0 }];
            let sources: Vec<Source<'_>> = ids.iter().map(|id| source(id, picture)).collect();
            let start = Instant::now();
            black_box(compositor.compose(look, &sources, tick * SECOND / 30));
            start.elapsed()
        })
        .collect();
    // The fade-in of nothing and the first names are over.
    println!("{name:<28} {}", figures(&mut times.split_off(10)));
}

/// Composes while a fade goes on: the layout changes each time that one would end.
fn fade(look: &Look) -> Vec<Duration> {
    let pictures = pictures((640, 360));
    let ids = ["a", "b", "c", "d"];
    let mut compositor = compositor();
    let mut look = look.clone();
    (0..TICKS)
        .map(|tick| {
            if tick * 33 * MILLI % FADE < 33 * MILLI {
                look.layout = if look.layout == Layout::Grid { Layout::Speaker } else { Layout::Grid };
            }
            let picture = &pictures[tick as usize % PICTURES];
            let sources = ids.map(|id| source(id, picture));
            let start = Instant::now();
            black_box(compositor.compose(&look, &sources, tick * 33 * MILLI));
            start.elapsed()
        })
        .collect()
}

fn figures(times: &mut [Duration]) -> String {
    format!("{:.2} {:.2}", percentile(times, 0.5), percentile(times, 0.0))
}

fn compositor() -> Compositor {
    Compositor::new(CANVAS.0, CANVAS.1, Fonts::built_in()).expect("a good size")
}

fn source<'a>(id: &'a str, picture: &'a Picture) -> Source<'a> {
    Source { id, name: id, picture: Some(picture), screen: false, level: -20, hidden: false, text: false }
}

/// Returns some pictures with different content.
fn pictures((w, h): (u32, u32)) -> Vec<Picture> {
    let sample = |n: usize, seed: usize| (16 + (n * 7 + n / 640 * 3 + seed * 31) % 220) as u8;
    let one = |seed| (0..Picture::bytes(w, h)).map(|n| sample(n, seed)).collect::<Vec<u8>>();
    (0..PICTURES).map(|seed| Picture::new(w, h, one(seed).into()).expect("an even size")).collect()
}
