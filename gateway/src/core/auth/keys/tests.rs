use std::path::PathBuf;

use super::*;

fn name(text: &str) -> StreamName {
    StreamName::parse(text).unwrap()
}

fn pattern(text: &str) -> StreamPattern {
    StreamPattern::try_from(text.to_owned()).unwrap()
}

fn folder(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("lianmai-keys-{name}-{}", std::process::id()))
}

#[test]
fn a_key_is_for_its_streams_and_acts_until_it_is_revoked() {
    let keys = Keys::default();
    let (anna, text) = keys.create("Anna", pattern("live/anna"), true, false).unwrap();
    let (club, club_text) = keys.create("Club", pattern("club/*"), true, true).unwrap();
    let (_, all_text) = keys.create("All", pattern("*"), false, true).unwrap();
    let may = |text: &str, act, stream: &str| keys.find(text, act, &name(stream)).is_some();
    let identity = Identity::Key { id: anna.id, name: "Anna".into() };
    assert_eq!(keys.find(&text, Act::Publish, &name("live/anna")), Some(identity));
    for (text, act, stream, expected) in [
        (&text, Act::Play, "live/anna", false),
        (&text, Act::Publish, "live/anna2", false),
        (&text, Act::Publish, "club/anna", false),
        (&club_text, Act::Publish, "club/a", true),
        (&club_text, Act::Play, "club/a/b", true),
        (&club_text, Act::Publish, "clubs/a", false),
        (&all_text, Act::Play, "x/y", true),
        (&all_text, Act::Publish, "x/y", false),
    ] {
        assert_eq!(may(text, act, stream), expected, "{act:?} {stream}");
    }
    let changed = text.replace(&text[10..11], if &text[10..11] == "a" { "b" } else { "a" });
    for wrong in ["", "lk_", &text[3..], &changed, &anna.hash] {
        assert!(!may(wrong, Act::Publish, "live/anna"), "{wrong}");
    }
    assert!(keys.revoke(anna.id).unwrap() && !keys.revoke(anna.id).unwrap());
    assert!(!may(&text, Act::Publish, "live/anna") && may(&club_text, Act::Publish, "club/a"));
    let (next, _) = keys.create("Next", pattern("*"), true, true).unwrap();
    assert!(next.id > club.id, "an id is never used again");
}

#[test]
fn keys_survive_a_restart_and_their_texts_are_not_on_the_disk() {
    let dir = folder("kept");
    let keys = Keys::kept(&dir).unwrap();
    assert!(!dir.exists(), "nothing is made before there is a key");
    let (entry, text) = keys.create("Anna", pattern("live/*"), true, false).unwrap();
    let (revoked, _) = keys.create("Bert", pattern("live/*"), true, false).unwrap();
    keys.revoke(revoked.id).unwrap();
    let file = dir.join("keys.json");
    let stored = std::fs::read_to_string(&file).unwrap();
    assert!(stored.contains("Anna") && !stored.contains("Bert") && !stored.contains(&text[3..]), "{stored}");
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert!(keys.find(&text, Act::Publish, &name("live/x")).is_some());
    keys.flush();
    let again = Keys::kept(&dir).unwrap();
    let list = again.list();
    assert_eq!((list.len(), list[0].id, list[0].used.is_some()), (1, entry.id, true));
    assert!(again.find(&text, Act::Publish, &name("live/x")).is_some());
    let (next, _) = again.create("Next", pattern("*"), true, true).unwrap();
    assert!(next.id > revoked.id, "an id is never used again");
    // A file that is no list of keys is said, not replaced.
    std::fs::write(&file, "{}").unwrap();
    assert!(Keys::kept(&dir).is_err());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_key_that_cannot_be_stored_does_not_exist_and_a_revocation_that_cannot_be_stored_is_none() {
    let dir = folder("unstored");
    let keys = Keys::kept(&dir).unwrap();
    let (entry, text) = keys.create("Anna", pattern("*"), true, false).unwrap();
    // A folder is in the way of the file.
    std::fs::remove_file(dir.join("keys.json")).unwrap();
    std::fs::create_dir_all(dir.join("keys.json/full")).unwrap();
    assert!(matches!(keys.create("Bert", pattern("*"), true, false), Err(KeyError::Store(_))));
    assert!(keys.revoke(entry.id).is_err());
    assert_eq!(keys.list().len(), 1);
    assert!(keys.find(&text, Act::Publish, &name("live/x")).is_some());
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn keys_are_few_and_have_names_and_patterns() {
    let keys = Keys::default();
    for bad in ["", "a\nb", &"x".repeat(MAX_NAME + 1)] {
        assert!(matches!(keys.create(bad, StreamPattern::All, true, false), Err(KeyError::Bad(_))), "{bad}");
    }
    assert!(matches!(keys.create("x", StreamPattern::All, false, false), Err(KeyError::Bad(_))));
    for text in ["*", "live/*", "a/b/*", "live/x"] {
        assert_eq!(pattern(text).to_string(), text);
    }
    assert_eq!(pattern("//live//*"), pattern("live/*"));
    for text in ["", "live", "live*", "/*", "li ve/*", "**", "*/x", "live/**"] {
        assert!(StreamPattern::try_from(text.to_owned()).is_err(), "{text}");
    }
    for n in 0..MAX_KEYS {
        keys.create(&n.to_string(), StreamPattern::All, true, false).unwrap();
    }
    assert!(matches!(keys.create("more", StreamPattern::All, true, false), Err(KeyError::Full)));
    keys.revoke(1).unwrap();
    keys.create("more", StreamPattern::All, true, false).unwrap();
}
