use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use super::*;

#[test]
fn files_that_others_may_read_or_change_are_refused_with_the_cure() {
    let dir = std::env::temp_dir().join(format!("lianmai-modes-{}", std::process::id()));
    make_folder(&dir).unwrap();
    assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    let path = dir.join("secret");
    let set = |mode| fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    write(&path, "s", 0o600).unwrap();
    for (mode, owner, group) in [
        (0o600, true, true),
        (0o400, true, true),
        (0o640, false, true),
        (0o660, false, false),
        (0o644, false, false),
        (0o604, false, false),
        (0o602, false, false),
        (0o666, false, false),
        (0o610, false, false),
    ] {
        set(mode);
        assert_eq!(read(&path, Readers::Owner).is_ok(), owner, "{mode:o}");
        assert_eq!(read(&path, Readers::Group).is_ok(), group, "{mode:o}");
    }
    set(0o666);
    let words = read_text(&path, Readers::Owner).unwrap_err().to_string();
    assert!(words.contains("0666") && words.contains(&format!("chmod 600 {}", path.display())), "{words}");
    // A link is followed, and a broken link gets its own error text.
    set(0o600);
    let link = dir.join("link");
    symlink(&path, &link).unwrap();
    assert_eq!(read_text(&link, Readers::Owner).unwrap(), "s");
    fs::remove_file(&path).unwrap();
    assert!(read(&link, Readers::Owner).unwrap_err().to_string().contains("link"));
    for (mode, good) in [(0o700, true), (0o755, true), (0o777, false), (0o1777, true), (0o702, false)] {
        fs::set_permissions(&dir, fs::Permissions::from_mode(mode)).unwrap();
        assert_eq!(check_folder(&dir).is_ok(), good, "{mode:o}");
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_file_of_another_user_decides_nothing() {
    for (owner, own, trusted) in [(0, 0, true), (7, 7, true), (0, 7, true), (7, 0, false), (8, 7, false)] {
        assert_eq!(is_trusted_owner(owner, own), trusted, "{owner} {own}");
    }
    let dir = std::env::temp_dir().join(format!("lianmai-owners-{}", std::process::id()));
    make_folder(&dir).unwrap();
    let path = dir.join("secret");
    write(&path, "s", 0o600).unwrap();
    assert_eq!(read_settings(&path, true).unwrap(), "s");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o646)).unwrap();
    assert!(read_settings(&path, false).unwrap_err().to_string().contains("chmod o-w"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    // Only root can give a file away.
    if std::os::unix::fs::chown(&path, Some(65534), None).is_ok() {
        for error in [read_text(&path, Readers::Owner).unwrap_err(), read_settings(&path, true).unwrap_err()]
        {
            assert!(error.to_string().contains("belongs to user 65534"), "{error}");
        }
        assert_eq!(read_text(&path, Readers::AnyOwner).unwrap(), "s");
        // The operator who names a file answers for it: in a container it often belongs to a user of the host.
        assert_eq!(read_settings(&path, false).unwrap(), "s");
    }
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
#[cfg(target_os = "linux")]
fn a_file_that_nobody_can_close_is_read() {
    // Mode 0444, and the system refuses every chmod, even by root.
    let path = Path::new("/proc/self/status");
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o444);
    assert!(!read_text(path, Readers::Owner).unwrap().is_empty());
    assert!(!read_text(path, Readers::Group).unwrap().is_empty());
}

#[test]
fn a_file_that_cannot_be_written_leaves_nothing_behind() {
    let dir = std::env::temp_dir().join(format!("lianmai-leftovers-{}", std::process::id()));
    // A folder is in the way of the file.
    make_folder(&dir.join("secret/full")).unwrap();
    assert!(write(&dir.join("secret"), "s", 0o600).is_err());
    let left: Vec<_> = fs::read_dir(&dir).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["secret"]);
    fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn a_link_in_the_way_is_replaced_and_not_followed() {
    let dir = std::env::temp_dir().join(format!("lianmai-links-{}", std::process::id()));
    make_folder(&dir).unwrap();
    let victim = dir.join("victim");
    fs::write(&victim, "precious").unwrap();
    let file = dir.join("ready.json");
    symlink(&victim, dir.join("ready.json.part")).unwrap();
    symlink(&victim, &file).unwrap();
    write(&file, "{}", 0o644).unwrap();
    assert_eq!(fs::read_to_string(&victim).unwrap(), "precious");
    assert_eq!(fs::read_to_string(&file).unwrap(), "{}");
    assert!(!fs::symlink_metadata(&file).unwrap().is_symlink());
    fs::remove_dir_all(&dir).unwrap();
}
