//! Tests of the tiles.

use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::jobs::mix::compose::layout::{Corner, Pip};
use crate::jobs::mix::compose::limits::{MAX_GAP, MAX_MARGIN, MAX_SHORT_SIDE, MAX_SIDE, MIN_SIDE};

const HD: (u32, u32) = (1280, 720);

fn sources(n: usize) -> Vec<Source<'static>> {
    const IDS: [&str; 20] = [
        "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17",
        "18", "19",
    ];
    let source =
        |id| Source { id, name: id, picture: None, screen: false, level: -127, hidden: false, text: false };
    IDS[..n].iter().map(|id| source(id)).collect()
}

fn rects(layout: &Layout, sources: &[Source<'_>], speaker: Option<usize>) -> Vec<(usize, Rect)> {
    let tiles = tiles(layout, sources, speaker, Stage::new(HD.0, HD.1, 0, 0));
    tiles.iter().map(|tile| (tile.source, tile.rect)).collect()
}

#[test]
fn a_grid_has_the_number_of_columns_with_the_largest_tiles() {
    let columns = |n, (w, h)| {
        let tiles = tiles(&Layout::Grid, &sources(n), None, Stage::new(w, h, 0, 8));
        tiles.iter().filter(|tile| tile.rect.y == tiles[0].rect.y).count()
    };
    let found: Vec<usize> = [1, 2, 3, 4, 5, 6, 7, 9, 10, 12, 13, 16].map(|n| columns(n, HD)).into();
    assert_eq!(found, [1, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4]);
    let portrait: Vec<usize> = [1, 2, 3, 4, 8].map(|n| columns(n, (720, 1280))).into();
    assert_eq!(portrait, [1, 1, 1, 1, 2]);
    let tile = |n, at: usize| rects(&Layout::Grid, &sources(n), None)[at].1;
    assert_eq!(tile(1, 0), Rect::new(0, 0, 1280, 720));
    assert_eq!(tile(4, 3), Rect::new(640, 360, 640, 360));
    assert_eq!(tile(3, 2), Rect::new(320, 360, 640, 360), "the last row is in the middle");
}

#[test]
fn side_by_side_has_equal_columns_or_rows() {
    let two = rects(&Layout::SideBySide, &sources(2), None);
    assert_eq!(two, [(0, Rect::new(0, 0, 640, 720)), (1, Rect::new(640, 0, 640, 720))]);
    let portrait = tiles(&Layout::SideBySide, &sources(2), None, Stage::new(720, 1280, 0, 0));
    assert_eq!(portrait[1].rect, Rect::new(0, 640, 720, 640));
}

#[test]
fn the_small_picture_of_the_tutorial_can_be_written() {
    // [1:v]scale=w=96:h=72[ckout];[0:v][ckout]overlay=x=W-w-10:y=H-h-10
    let layout: Layout =
        serde_json::from_str(r#"{"pip": {"width": 96, "height": 72, "offset": 10, "fit": "stretch"}}"#)
            .unwrap();
    let tiles = tiles(&layout, &sources(2), None, Stage::new(HD.0, HD.1, 0, 8));
    let whole = Tile { source: 0, rect: Rect::new(0, 0, 1280, 720), fit: Fit::Auto };
    let rect = Rect::new(1280 - 96 - 10, 720 - 72 - 10, 96, 72);
    assert_eq!(tiles, [whole, Tile { source: 1, rect, fit: Fit::Stretch }]);
    let corner = |corner| {
        let pip = Pip { corner, width: Some(96), offset: Some(10), ..Pip::default() };
        let found = rects(&Layout::PictureInPicture(pip), &sources(3), None);
        (found[1].1, found[2].1)
    };
    assert_eq!(corner(Corner::TopLeft), (Rect::new(10, 10, 96, 54), Rect::new(10, 64, 96, 54)));
    assert_eq!(corner(Corner::TopRight).0, Rect::new(1174, 10, 96, 54));
    assert_eq!(corner(Corner::BottomLeft), (Rect::new(10, 656, 96, 54), Rect::new(10, 602, 96, 54)));
}

#[test]
fn the_large_one_is_the_speaker_or_the_shared_screen() {
    let large = |layout: Layout, sources: &[Source<'_>], speaker| {
        let found = rects(&layout, sources, speaker);
        let large = found[0];
        assert!(found[1..].iter().all(|(_, small)| small.w * 2 < large.1.w), "{found:?}");
        large.0
    };
    let mut four = sources(4);
    assert_eq!(large(Layout::Speaker, &four, Some(2)), 2);
    assert_eq!(large(Layout::Speaker, &four, None), 0, "nobody has spoken");
    assert_eq!(large(Layout::Screen, &four, Some(2)), 2, "nobody shares");
    four[0].screen = true;
    four[3].screen = true;
    assert_eq!(large(Layout::Speaker, &four, None), 1, "a screen does not speak");
    assert_eq!(large(Layout::Screen, &four, Some(2)), 0, "the first of two screens");
    four[0].hidden = true;
    assert_eq!(large(Layout::Screen, &four, Some(2)), 3);
    four[2].hidden = true;
    assert_eq!(large(Layout::Speaker, &four, Some(2)), 1, "a hidden input is not the large one");
}

#[test]
fn regions_show_the_input_that_they_name() {
    let region = |source, x| Region { source, x, y: 11, w: 101, h: 51, fit: Fit::Contain };
    let layout = Layout::Regions(vec![
        region(RegionSource::Id("2".into()), 0),
        region(RegionSource::Index(0), 201),
        region(RegionSource::Index(7), 400),
        region(RegionSource::Id("nobody".into()), 600),
        region(RegionSource::Index(1), 5000),
    ]);
    let mut three = sources(3);
    let found = rects(&layout, &three, None);
    let expected =
        [(2, Rect::new(0, 10, 100, 50)), (0, Rect::new(200, 10, 100, 50)), (1, Rect::new(1278, 10, 2, 50))];
    assert_eq!(found, expected);
    three[2].hidden = true;
    assert_eq!(rects(&layout, &three, None), expected[1..]);
    let many = Layout::Regions(vec![region(RegionSource::Index(0), 0); MAX_REGIONS + 9]);
    assert_eq!(rects(&many, &three, None).len(), MAX_REGIONS);
}

#[test]
fn the_margin_stays_free() {
    for layout in
        [Layout::Grid, Layout::Speaker, Layout::SideBySide, Layout::PictureInPicture(Pip::default())]
    {
        for n in 1..=MAX_SOURCES {
            for tile in tiles(&layout, &sources(n), None, Stage::new(HD.0, HD.1, 10, 8)) {
                assert!(Rect::new(128, 72, 1024, 576).contains(&tile.rect), "{layout:?} {n}: {tile:?}");
            }
        }
    }
}

fn layouts() -> impl Strategy<Value = Layout> {
    let corner = select(vec![Corner::TopLeft, Corner::TopRight, Corner::BottomLeft, Corner::BottomRight]);
    let length = || prop::option::of(prop_oneof![0..2000_u32, Just(u32::MAX)]);
    let pip = (corner, length(), length(), length()).prop_map(|(corner, width, height, offset)| {
        Layout::PictureInPicture(Pip { corner, width, height, offset, fit: Fit::Auto })
    });
    let named = vec![Layout::Grid, Layout::Speaker, Layout::SideBySide, Layout::Screen];
    prop_oneof![3 => select(named), 1 => pip]
}

proptest! {
    #[test]
    fn each_visible_input_has_one_tile_of_even_numbers_inside_the_canvas(
        layout in layouts(),
        (w, h) in prop_oneof![
            Just(HD),
            (MIN_SIDE / 2..=MAX_SIDE / 2, MIN_SIDE / 2..=MAX_SHORT_SIDE / 2).prop_map(|(w, h)| (2 * w, 2 * h)),
            (MIN_SIDE / 2..=MAX_SHORT_SIDE / 2, MIN_SIDE / 2..=MAX_SIDE / 2).prop_map(|(w, h)| (2 * w, 2 * h)),
        ],
        kinds in prop::collection::vec((prop::bool::weighted(0.2), prop::bool::weighted(0.2)), 0..20),
        speaker in prop::option::of(0..25_usize),
        margin in 0..=MAX_MARGIN + 9,
        gap in 0..=MAX_GAP + 9,
    ) {
        let mut sources = sources(kinds.len());
        for (source, (hidden, screen)) in sources.iter_mut().zip(&kinds) {
            (source.hidden, source.screen) = (*hidden, *screen);
        }
        let tiles = tiles(&layout, &sources, speaker, Stage::new(w, h, margin, gap));
        let canvas = Rect::new(0, 0, w, h);
        let mut shown: Vec<usize> = tiles.iter().map(|tile| tile.source).collect();
        shown.sort_unstable();
        prop_assert_eq!(shown, visible(&sources));
        for Tile { rect, .. } in &tiles {
            let all = [rect.x, rect.y, rect.w, rect.h];
            prop_assert!(canvas.contains(rect) && rect.w >= 2 && rect.h >= 2, "{:?}", rect);
            prop_assert!(all.iter().all(|n| n.is_multiple_of(2)), "{:?}", rect);
        }
        let first = usize::from(matches!(layout, Layout::PictureInPicture(_)));
        let flat = tiles.get(first..).unwrap_or_default();
        for (n, one) in flat.iter().enumerate() {
            for other in &flat[n + 1..] {
                prop_assert!(!one.rect.overlaps(&other.rect), "{:?} {:?}", one, other);
            }
        }
    }
}
