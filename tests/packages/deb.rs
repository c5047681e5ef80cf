//! The Debian package, installed by dpkg into a folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::{http, rtmp, wait};

use crate::unit::{Unit, as_user};
use crate::{LIMIT, package, run};

/// An empty system for dpkg.
fn system() -> PathBuf {
    let base = temp_dir("system");
    for folder in ["var/lib/dpkg/info", "var/lib/dpkg/updates", "var/lib/dpkg/triggers"] {
        fs::create_dir_all(base.join(folder)).expect("ours");
    }
    for file in ["status", "available"] {
        fs::write(base.join("var/lib/dpkg").join(file), "").expect("ours");
    }
    base
}

/// Runs dpkg on the system below `base`. The packages that ours needs are not there.
fn dpkg(base: &Path) -> Command {
    let mut command = Command::new("dpkg");
    command.arg(format!("--root={}", base.display())).args(["--log=/dev/null", "--force-depends"]);
    command.args(["--force-not-root", "--force-script-chrootless", "--force-confold"]);
    command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    command
}

#[test]
fn it_installs_a_service_that_publishes_and_plays() {
    let base = system();
    run(dpkg(&base).arg("--install").arg(package(".deb")));
    let program = base.join("usr/bin/lianmai");
    let version = run(Command::new(&program).arg("--version"));
    assert_eq!(version.trim(), concat!("lianmai ", env!("CARGO_PKG_VERSION")));

    let mut unit = Unit::start(&base);
    // The settings of the package make it public: publishing needs the secret.
    let addr = unit.address("/rtmp").parse().expect("an address");
    assert!(rtmp::Client::publish(addr, "x").is_err());
    let secret = fs::read_to_string(unit.data.join("publish-secret")).expect("made at the first start");
    let publisher = rtmp::Client::publish(addr, &format!("x?secret={}", secret.trim()));
    drop(publisher.expect("the secret lets publish"));
    let healthy = |ready: &Path| {
        let mut health = as_user(&program.to_string_lossy());
        health.args(["health", "--ready-file"]).arg(ready).env_remove("LIANMAI_CONFIG").current_dir("/");
        health.output().expect("the program runs")
    };
    let ready = base.join("run/ready.json");
    assert!(healthy(&ready).status.success());
    let status = http::get(unit.address("/http/0").parse().expect("an address"), "/").status;
    assert_eq!(status, 200, "the pages are in the program");

    // `systemctl reload` and `systemctl stop`.
    unit.process.signal("HUP");
    wait::until_true("the reload", LIMIT, || unit.process.stderr().contains("settings reloaded"));
    unit.process.terminate();
    assert_eq!(unit.told(), "STOPPING=1");
    assert!(unit.process.wait(LIMIT).success());
    let after = healthy(&ready);
    let words = String::from_utf8_lossy(&after.stderr).into_owned();
    assert!(!after.status.success() && words.contains("not ready"), "{words}");
    let _ = fs::remove_dir_all(base);
}

#[test]
fn an_upgrade_keeps_changed_settings_and_a_purge_keeps_the_data() {
    let base = system();
    let settings = base.join("etc/lianmai/lianmai.toml");
    run(dpkg(&base).arg("--install").arg(package(".deb")));
    fs::write(&settings, "public = false\n").expect("ours");
    run(dpkg(&base).arg("--install").arg(package(".deb")));
    assert_eq!(fs::read_to_string(&settings).expect("kept"), "public = false\n");

    let recording = base.join("var/lib/private/lianmai/records/live/x/a.mp4");
    fs::create_dir_all(recording.parent().expect("a folder")).expect("ours");
    fs::write(&recording, "video").expect("ours");
    run(dpkg(&base).args(["--remove", "lianmai"]));
    assert!(!base.join("usr/bin/lianmai").exists() && settings.exists());
    let words = run(dpkg(&base).args(["--purge", "lianmai"]));
    assert!(!settings.exists() && recording.exists());
    assert!(words.contains("/var/lib/private/lianmai"), "{words}");
    let _ = fs::remove_dir_all(base);
}

#[test]
fn it_declares_what_it_needs_and_belongs_to_root() {
    let file = package(".deb");
    let depends = run(Command::new("dpkg-deb").arg("--field").arg(&file).args(["Depends", "Recommends"]));
    assert!(depends.contains("libc6 (>= ") && depends.contains("Recommends: ffmpeg"), "{depends}");
    let files = run(Command::new("dpkg-deb").arg("--contents").arg(&file));
    assert!(files.lines().all(|line| line.contains(" root/root ")), "{files}");
    for path in
        ["./usr/bin/lianmai", "./etc/lianmai/lianmai.toml", "./usr/share/doc/lianmai/docs/configuration.md"]
    {
        assert!(files.lines().any(|line| line.ends_with(path)), "{path} in {files}");
    }
}
