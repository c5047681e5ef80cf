//! Plain pictures, and where their colours are in the composed one.

use bytes::Bytes;
use media::time::{MILLI, Micros, SECOND};

use crate::jobs::mix::Picture;
use crate::jobs::mix::compose::layout::{Corner, Fit, Layout, Pip, Region, RegionSource};
use crate::jobs::mix::compose::{
    Background, Colour, Compositor, FADE, Fonts, Look, MAX_SOURCES, SILENT, Source,
};

const W: u32 = 1280;
const H: u32 = 720;
const BACK: Colour = Colour::new(0x10_2030);
/// The colours of the inputs.
const COLOURS: [[u8; 3]; 4] = [[60, 90, 200], [100, 160, 80], [150, 110, 110], [200, 70, 140]];

pub(super) fn plain(w: u32, h: u32, yuv: [u8; 3]) -> Picture {
    let luma = (w * h) as usize;
    let mut data = vec![yuv[0]; luma];
    data.extend(vec![yuv[1]; luma / 4]);
    data.extend(vec![yuv[2]; luma / 4]);
    Picture::new(w, h, data.into()).unwrap()
}

fn look(layout: Layout) -> Look {
    let background = Background::Colour(BACK);
    Look { layout, names: false, background, gap: 8, border: false, fade: false, margin: 0 }
}

fn source<'a>(id: &'a str, picture: Option<&'a Picture>) -> Source<'a> {
    Source { id, name: id, picture, screen: false, level: SILENT, hidden: false, text: false }
}

fn compositor() -> Compositor {
    Compositor::new(W, H, Fonts::built_in()).unwrap()
}

/// Returns the samples of one pixel.
fn pixel(picture: &Bytes, x: u32, y: u32) -> [u8; 3] {
    let (x, y, w, luma) = (x as usize, y as usize, W as usize, (W * H) as usize);
    let chroma = y / 2 * (w / 2) + x / 2;
    [picture[y * w + x], picture[luma + chroma], picture[luma + luma / 4 + chroma]]
}

/// Composes up to four cameras of 640x360.
fn compose(look: &Look, n: usize) -> Bytes {
    let pictures: Vec<Picture> = COLOURS.iter().map(|yuv| plain(640, 360, *yuv)).collect();
    let ids = ["a", "b", "c", "d"];
    let sources: Vec<_> = ids.iter().zip(&pictures).map(|(id, picture)| source(id, Some(picture))).collect();
    compositor().compose(look, &sources[..n], 0)
}

/// Compares pixels with the colours of the inputs; `None` is the background.
fn assert_pixels(picture: &Bytes, expected: &[(u32, u32, Option<usize>)]) {
    for &(x, y, input) in expected {
        let colour = input.map_or_else(|| BACK.yuv(), |n| COLOURS[n]);
        assert_eq!(pixel(picture, x, y), colour, "{x} {y}");
    }
}

#[test]
fn each_layout_has_each_input_in_its_place() {
    let grid = compose(&look(Layout::Grid), 4);
    assert_eq!(grid.len(), Picture::bytes(W, H));
    let middle = [(320, 180, Some(0)), (960, 180, Some(1)), (320, 540, Some(2)), (960, 540, Some(3))];
    assert_pixels(&grid, &middle);
    assert_pixels(&grid, &[(640, 360, None), (640, 100, None), (100, 360, None)]);
    let side = compose(&look(Layout::SideBySide), 2);
    assert_pixels(
        &side,
        &[(0, 0, Some(0)), (635, 719, Some(0)), (640, 360, None), (644, 0, Some(1)), (1279, 719, Some(1))],
    );
    let speaker = compose(&look(Layout::Speaker), 4);
    assert_pixels(
        &speaker,
        &[
            (500, 360, Some(0)),
            (1140, 180, Some(1)),
            (1140, 360, Some(2)),
            (1140, 540, Some(3)),
            (1140, 5, None),
        ],
    );
    let pip = Pip {
        corner: Corner::BottomRight,
        width: Some(96),
        height: Some(72),
        offset: Some(10),
        fit: Fit::Auto,
    };
    let pip = compose(&look(Layout::PictureInPicture(pip)), 2);
    assert_pixels(
        &pip,
        &[
            (640, 360, Some(0)),
            (1174, 638, Some(1)),
            (1269, 709, Some(1)),
            (1173, 638, Some(0)),
            (1270, 709, Some(0)),
        ],
    );
    let region = |n: usize, x, fit| Region { source: RegionSource::Index(n), x, y: 100, w: 200, h: 200, fit };
    let regions = vec![region(3, 0, Fit::Cover), region(1, 200, Fit::Contain), region(0, 400, Fit::Stretch)];
    let regions = compose(&look(Layout::Regions(regions)), 4);
    assert_pixels(
        &regions,
        &[(100, 101, Some(3)), (300, 200, Some(1)), (300, 110, None), (500, 101, Some(0)), (640, 500, None)],
    );
}

#[test]
fn a_shared_screen_is_shown_whole_beside_the_cameras() {
    let (camera, slide) = (plain(640, 360, COLOURS[0]), plain(1024, 768, COLOURS[1]));
    let share = Source { screen: true, ..source("s", Some(&slide)) };
    let sources = [source("a", Some(&camera)), share, source("b", None)];
    let picture = compositor().compose(&look(Layout::Screen), &sources, 0);
    assert_pixels(
        &picture,
        &[(500, 360, Some(1)), (20, 360, Some(1)), (980, 360, None), (1140, 270, Some(0))],
    );
    let wide = plain(1920, 480, COLOURS[1]);
    let share = Source { picture: Some(&wide), ..share };
    let picture = compositor().compose(&look(Layout::Screen), &[share], 0);
    assert_pixels(&picture, &[(2, 360, Some(1)), (1277, 360, Some(1)), (640, 100, None), (640, 620, None)]);
}

#[test]
fn a_camera_in_portrait_format_is_shown_whole_before_its_blurred_picture() {
    let phone = plain(360, 640, COLOURS[3]);
    let picture = compositor().compose(&look(Layout::Grid), &[source("a", Some(&phone))], 0);
    assert_eq!(pixel(&picture, 640, 2), COLOURS[3]);
    let [y, ..] = pixel(&picture, 20, 360);
    assert!((60..120).contains(&y), "darker, but not the background: {y}");
    let two =
        compositor().compose(&look(Layout::SideBySide), &[source("a", Some(&phone)), source("b", None)], 0);
    assert_eq!(pixel(&two, 0, 0), COLOURS[3], "a portrait tile is filled");
}

#[test]
fn a_background_picture_covers_the_canvas_and_the_margin_shows_it() {
    let mut look = look(Layout::Grid);
    look.background = Background::Picture(plain(100, 400, COLOURS[2]));
    look.margin = 10;
    let camera = plain(640, 360, COLOURS[0]);
    let mut compositor = compositor();
    for _ in 0..2 {
        let picture = compositor.compose(&look, &[source("a", Some(&camera))], 0);
        assert_pixels(
            &picture,
            &[
                (0, 0, Some(2)),
                (1279, 719, Some(2)),
                (126, 360, Some(2)),
                (130, 360, Some(0)),
                (640, 74, Some(0)),
            ],
        );
    }
}

#[test]
fn names_and_the_border_change_pixels_only_inside_their_tile() {
    let names = |names, level, border| {
        let pictures: Vec<Picture> = COLOURS.iter().map(|yuv| plain(640, 360, *yuv)).collect();
        let mut sources = [source("Anna", Some(&pictures[0])), source(" ", Some(&pictures[1]))];
        sources[0].level = level;
        compositor().compose(&Look { names, border, ..look(Layout::SideBySide) }, &sources, 0)
    };
    let bare = names(false, -20, false);
    let inside = |picture: &Bytes| {
        let changed: Vec<usize> = (0..(W * H) as usize).filter(|at| bare[*at] != picture[*at]).collect();
        assert!(changed.iter().all(|at| at % (W as usize) < 636), "only the left one");
        changed.len()
    };
    assert!(inside(&names(true, -20, false)) > 300);
    let border = names(false, -20, true);
    let edge = 4 * (636 + 720) * 2;
    assert!((edge - 200..=edge).contains(&inside(&border)), "{}", inside(&border));
    assert_eq!(pixel(&border, 8, 8), COLOURS[0]);
    assert_ne!(pixel(&border, 2, 2), COLOURS[0]);
    assert_eq!(names(false, -90, true), bare, "nobody speaks");
}

#[test]
fn an_input_without_a_picture_has_a_card() {
    let (camera, other) = (plain(640, 360, COLOURS[0]), plain(640, 360, COLOURS[1]));
    let mut compositor = compositor();
    let mut at = |picture| {
        let sources = [source("a", Some(&camera)), Source { name: "Berta", ..source("b", picture) }];
        compositor.compose(&look(Layout::SideBySide), &sources, 0)
    };
    let card = at(None);
    assert_ne!(pixel(&card, 700, 20), BACK.yuv());
    let letters = (940..985).flat_map(|x| (330..390).map(move |y| (x, y)));
    assert!(letters.filter(|(x, y)| pixel(&card, *x, *y)[0] > 225).count() > 100);
    assert_pixels(&at(Some(&other)), &[(700, 20, Some(1)), (960, 360, Some(1))]);
    assert_eq!(at(None), card);
}

#[test]
fn a_picture_is_scaled_once_and_what_is_not_drawn_is_forgotten() {
    let mut compositor = compositor();
    let pictures: Vec<Picture> = COLOURS.iter().map(|yuv| plain(640, 480, *yuv)).collect();
    let ids: Vec<String> = (0..MAX_SOURCES + 9).map(|n| n.to_string()).collect();
    let all: Vec<_> = ids.iter().map(|id| source(id, Some(&pictures[0]))).collect();
    for n in [2, 2, 2, MAX_SOURCES, MAX_SOURCES + 9, MAX_SOURCES + 9] {
        compositor.compose(&look(Layout::Grid), &all[..n], 0);
    }
    assert_eq!(compositor.kept_tiles(), (MAX_SOURCES, 2 + MAX_SOURCES as u64));
    let mut other = all.clone();
    other[1].picture = Some(&pictures[1]);
    let picture = compositor.compose(&look(Layout::Grid), &other, 0);
    assert_eq!(compositor.kept_tiles(), (MAX_SOURCES, 3 + MAX_SOURCES as u64));
    assert_pixels(&picture, &[(160, 90, Some(0)), (480, 90, Some(1)), (1120, 630, Some(0))]);
    compositor.compose(&look(Layout::Grid), &all[..1], 0);
    assert_eq!(compositor.kept_tiles().0, 1);
}

#[test]
fn a_fade_ends_with_exactly_the_new_scene() {
    let pictures: Vec<Picture> = COLOURS.iter().map(|yuv| plain(640, 360, *yuv)).collect();
    let sources = [source("a", Some(&pictures[0])), source("b", Some(&pictures[1]))];
    let steps = |fade: bool| -> Vec<Bytes> {
        let mut compositor = compositor();
        let look = Look { fade, ..look(Layout::Grid) };
        let tick = |n: Micros| SECOND + n * 33 * MILLI;
        (0..10).map(|n| compositor.compose(&look, &sources[..if n < 2 { 1 } else { 2 }], tick(n))).collect()
    };
    let (cut, faded) = (steps(false), steps(true));
    assert_ne!(cut[1], cut[2]);
    let done = (FADE / (33 * MILLI)) as usize + 3;
    for n in 0..10 {
        assert_eq!(cut[n] == faded[n], !(2..done).contains(&n), "{n}");
    }
    let left: Vec<u8> = faded[1..].iter().map(|picture| pixel(picture, 960, 360)[0]).collect();
    assert!(left.is_sorted() && left[0] == COLOURS[0][0] && left[8] == COLOURS[1][0], "{left:?}");
}

#[test]
fn sizes_beyond_the_bounds_are_refused() {
    let error = Compositor::new(3840, 2160, Fonts::built_in()).unwrap_err();
    assert!(error.to_string().contains("3840x2160"), "{error}");
}
