//! Audio levels, and who speaks.

use lianmai_tests::Gateway;
use lianmai_tests::rtc::{Media, Peer};

use crate::{call, join, on_air};

#[test]
fn the_loudest_is_the_speaker() {
    let gateway = Gateway::start(&[]);
    let (mut anna, bert) = (join(&gateway, "Anna", "host"), join(&gateway, "Bert", "guest"));
    let (first, second) = (anna.id().to_owned(), bert.id().to_owned());
    let media = || Media::usual().blind();
    let _quiet = Peer::publish(&call(&gateway, &first, anna.key()), media().loud(-30));
    anna.wait_person(&first, on_air);
    anna.wait("levels", |levels| levels["levels"][&first] == -30);
    anna.wait("speaker", |speaker| speaker["id"] == *first);
    let loud = Peer::publish(&call(&gateway, &second, bert.key()), media().loud(-12));
    anna.wait("levels", |levels| levels["levels"][&second] == -12);
    anna.wait("speaker", |speaker| speaker["id"] == *second);
    assert_eq!(join(&gateway, "Late", "audience").welcome["speaker"], *second);
    drop(loud);
    anna.wait("levels", |levels| levels["levels"][&second] == -127);
    // Somebody else speaks.
    anna.wait("speaker", |speaker| speaker["id"] == *first);
}
