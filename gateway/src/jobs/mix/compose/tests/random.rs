//! Random inputs, looks and times.

use proptest::prelude::*;
use proptest::sample::select;

use super::pictures::plain;
use crate::jobs::mix::Picture;
use crate::jobs::mix::compose::layout::{Corner, Fit, Layout, Pip, Region, RegionSource};
use crate::jobs::mix::compose::{Background, Colour, Compositor, Fonts, Look, Source};

/// Names of strangers.
const NAMES: [&str; 6] =
    ["", "Anna", "\u{202e}\u{0}evil\n", "安娜 李", "👨‍👩‍👧 ﷽﷽﷽", "W W W W W W W W W W W W W W W W W W W"];

fn fits() -> impl Strategy<Value = Fit> {
    select(vec![Fit::Auto, Fit::Cover, Fit::Contain, Fit::Stretch])
}

fn layouts() -> impl Strategy<Value = Layout> {
    let number = || prop_oneof![4 => 0..700_u32, 1 => Just(u32::MAX)];
    let region =
        (0..9_usize, number(), number(), number(), number(), fits()).prop_map(|(n, x, y, w, h, fit)| {
            let source = if n % 2 == 0 { RegionSource::Index(n) } else { RegionSource::Id(n.to_string()) };
            Region { source, x, y, w, h, fit }
        });
    let pip =
        (prop::option::of(number()), prop::option::of(number()), fits()).prop_map(|(width, offset, fit)| {
            Layout::PictureInPicture(Pip { corner: Corner::TopLeft, width, height: None, offset, fit })
        });
    prop_oneof![
        4 => select(vec![Layout::Grid, Layout::Speaker, Layout::SideBySide, Layout::Screen]),
        1 => pip,
        1 => prop::collection::vec(region, 0..20).prop_map(Layout::Regions),
    ]
}

fn pictures() -> impl Strategy<Value = Picture> {
    let sizes =
        vec![(2, 2), (4096, 2), (2, 4096), (64, 36), (36, 64), (640, 360), (1282, 722), (2, 64), (320, 240)];
    (select(sizes), 16..235_u8).prop_map(|((w, h), y)| plain(w, h, [y, 240 - y, y]))
}

/// An input: its picture, name, level, and whether it is a screen and hidden.
type Input = (Option<Picture>, usize, i8, bool, bool);

fn inputs() -> impl Strategy<Value = Vec<Input>> {
    let input = (
        prop::option::weighted(0.8, pictures()),
        0..NAMES.len(),
        any::<i8>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    );
    prop::collection::vec(input, 0..20)
}

fn looks() -> impl Strategy<Value = Look> {
    let background = prop_oneof![
        3 => any::<u32>().prop_map(|rgb| Background::Colour(Colour::new(rgb))),
        1 => pictures().prop_map(Background::Picture),
    ];
    (layouts(), any::<[bool; 3]>(), background, 0..40_u8, 0..99_u32).prop_map(
        |(layout, [names, border, fade], background, margin, gap)| Look {
            layout,
            names,
            background,
            margin,
            gap,
            border,
            fade,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_picture_is_whole_and_in_the_limited_range(
        (w, h) in select(vec![(320, 180), (180, 320), (64, 64), (642, 362)]),
        steps in prop::collection::vec((looks(), inputs(), prop_oneof![4 => 0..500_000_i64, 1 => any::<i64>()]), 1..5),
    ) {
        let mut compositor = Compositor::new(w, h, Fonts::built_in()).unwrap();
        let ids: Vec<String> = (0..20).map(|n| n.to_string()).collect();
        let mut now = 0_i64;
        for (look, inputs, later) in &steps {
            now = now.wrapping_add(*later);
            let sources: Vec<Source<'_>> = inputs
                .iter()
                .zip(&ids)
                .map(|((picture, name, level, screen, hidden), id)| Source {
                    id,
                    name: NAMES[*name],
                    picture: picture.as_ref(),
                    screen: *screen,
                    level: *level,
                    hidden: *hidden,
                    text: *hidden ^ *screen,
                })
                .collect();
            let picture = compositor.compose(look, &sources, now);
            prop_assert_eq!(picture.len(), Picture::bytes(w, h));
            let luma = &picture[..(w * h) as usize];
            prop_assert!(luma.iter().all(|y| (16..=235).contains(y)));
        }
    }
}
