//! The tarball: unpack and start.

use std::fs;
use std::process::Command;

use lianmai_tests::gateway::temp_dir;

use crate::{package, run};

#[test]
fn it_unpacks_into_one_folder_with_everything_that_is_needed() {
    let folder = temp_dir("tarball");
    run(Command::new("tar")
        .arg("--extract")
        .arg("--file")
        .arg(package(".tar.gz"))
        .arg("--directory")
        .arg(&folder));
    let entries: Vec<_> =
        folder.read_dir().expect("ours").map(|entry| entry.expect("an entry").path()).collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
    let inside = &entries[0];
    for name in ["lianmai", "lianmai.service", "lianmai.toml", "README.md", "LICENSE"] {
        assert!(inside.join(name).is_file(), "{name}");
    }
    // Its settings are valid for its program.
    let shown = run(Command::new(inside.join("lianmai")).args(["config", "--print"]).current_dir(inside));
    assert!(shown.contains("public = true"), "{shown}");
    let _ = fs::remove_dir_all(folder);
}
