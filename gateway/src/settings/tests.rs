use std::path::PathBuf;

use clap::{Args, Command};

use super::*;
use crate::limits::LimitSettings;

fn command() -> Command {
    // Variables of the machine that runs the tests must not matter.
    Settings::augment_args(Command::new("lianmai").no_binary_name(true))
        .mut_args(|a| a.env(clap::builder::Resettable::Reset))
}

fn load(flags: &[&str], file: Option<&str>, variables: &[&str]) -> Result<Settings, String> {
    let matches = command().try_get_matches_from(flags).map_err(|e| e.to_string())?;
    let path = file.map(|text| {
        let path =
            std::env::temp_dir().join(format!("lianmai-config-{}-{:p}.toml", std::process::id(), &text));
        std::fs::write(&path, text).unwrap();
        path
    });
    let loaded = from_matches(&matches, path.as_deref(), variables.iter().map(ToString::to_string));
    if let Some(path) = path {
        std::fs::remove_file(path).unwrap();
    }
    loaded.map(|loaded| loaded.settings).map_err(|e| e.to_string())
}

#[test]
fn a_flag_beats_the_file_and_the_file_beats_the_default() {
    let file = "rtmp = \"127.0.0.1:7\"\nmax_streams = 5\ndemo = true\nhttp = [\"127.0.0.1:8\"]";
    let config = load(&["--rtmp", "127.0.0.1:0", "--demo=false"], Some(file), &[]).unwrap();
    assert_eq!(config.rtmp.addr, "127.0.0.1:0".parse().unwrap());
    assert_eq!(config.http.http, ["127.0.0.1:8".parse().unwrap()]);
    assert!(!config.demo.demo);
    assert_eq!(config.context.limits.max_streams, 5);
    assert_eq!(
        config.context,
        ContextSettings {
            limits: LimitSettings { max_streams: 5, ..LimitSettings::default() },
            ..ContextSettings::default()
        }
    );
}

#[test]
fn unknown_keys_are_errors_that_name_the_key() {
    assert!(load(&[], Some("max_stream = 5"), &[]).unwrap_err().contains("max_stream"));
    assert!(load(&["--max-stream", "5"], None, &[]).is_err());
    assert!(load(&[], None, &["LIANMAI_MAX_STREAMS", "LIANMAI_LOG", "PATH"]).is_ok());
    for (line, key) in [
        ("rtmp = 5", "rtmp"),
        ("http = [\"x\"]", "http"),
        ("play_wait = -1", "play_wait"),
        ("demo = 1", "demo"),
    ] {
        let error = load(&[], Some(&format!("max_streams = 5\n{line}")), &[]).unwrap_err();
        assert!(error.contains(&format!(" {key}: ")), "{error}");
    }
}

#[test]
fn variables_that_are_no_settings_are_named_and_those_of_kubernetes_are_passed_over() {
    // A Service called `lianmai` puts its addresses into every pod; `docker --link` does the same.
    let kubernetes = [
        "LIANMAI_SERVICE_HOST",
        "LIANMAI_SERVICE_PORT",
        "LIANMAI_SERVICE_PORT_RTMP",
        "LIANMAI_PORT",
        "LIANMAI_PORT_1935_TCP",
        "LIANMAI_PORT_1935_TCP_ADDR",
        "LIANMAI_RTMP_SERVICE_HOST",
        "LIANMAI_RTMP_PORT_1935_TCP_PROTO",
    ];
    let others = ["LIANMAI_MAX_STREAM", "LIANMAI_MAX_STREAMS", "LIANMAI_CONFIG", "LIANMAI_", "PATH"];
    let matches = command().try_get_matches_from(Vec::<String>::new()).unwrap();
    let variables = kubernetes.into_iter().chain(others).map(str::to_owned);
    let loaded = from_matches(&matches, None, variables).unwrap();
    assert_eq!(loaded.unknown, ["LIANMAI_MAX_STREAM", "LIANMAI_"]);
}

#[test]
fn every_setting_has_its_three_faces_and_words() {
    let command = Settings::augment_args(Command::new("lianmai"));
    let table = super::load::to_table(&Settings::default());
    assert_eq!(command.get_arguments().count(), table.len());
    for arg in command.get_arguments() {
        let key = arg.get_id().as_str();
        assert!(table.contains_key(key), "{key}");
        assert_eq!(arg.get_long().unwrap().replace('-', "_"), key);
        let variable = arg.get_env().unwrap().to_str().unwrap();
        assert_eq!(variable, format!("LIANMAI_{}", key.to_ascii_uppercase()));
        assert!(arg.get_help().is_some(), "{key}");
    }
}

#[test]
fn what_is_printed_reads_back() {
    let printed = print(&Settings::default());
    assert_eq!(load(&[], Some(&printed), &[]).unwrap(), Settings::default());
    for line in printed.lines().filter(|l| l.contains(" = ")) {
        assert!(!line.starts_with("# "), "{line}");
    }
}

#[test]
fn settings_that_differ_are_named() {
    let one = load(&["--secret", "a", "--max-streams", "5"], None, &[]).unwrap();
    let other = load(&["--secret", "b", "--max-streams", "5", "--log", "debug"], None, &[]).unwrap();
    assert_eq!(differences(&one, &other), ["log", "secret"]);
    assert!(differences(&one, &one.clone()).is_empty());
}

#[test]
fn every_secret_is_hidden_and_makes_the_file_one_that_others_may_not_read() {
    assert!(!load(&[], None, &[]).unwrap().hold_keys());
    let others = [
        ("cluster", "[\"nats://user:geheim@127.0.0.1:4222\"]"),
        ("hook", "[\"http://127.0.0.1/?key=geheim\"]"),
    ];
    for (key, value) in super::print::SECRETS.iter().map(|key| (*key, "\"geheim\"")).chain(others) {
        let settings = load(&[], Some(&format!("{key} = {value}")), &[])
            .unwrap_or_else(|error| panic!("{key}: {error}"));
        assert!(settings.hold_keys() && !print(&settings).contains("geheim"), "{key}");
        assert!(!shown(&settings).to_string().contains("geheim"), "{key}");
    }
}

#[test]
fn secrets_are_not_printed() {
    let flags = ["--secret", "geheim", "--play-secret", "geheim", "--operator-secret", "geheim"];
    let ice = ["--ice-server", "turn:user:geheim@192.0.2.1:3478"];
    let config = load(&[&flags[..], &ice].concat(), None, &[]).unwrap();
    let printed = print(&config);
    assert!(!printed.contains("geheim"), "{printed}");
    assert_eq!(printed.matches("set, but not shown").count(), 4, "{printed}");
    // The rest can be read.
    assert_eq!(load(&[], Some(&printed), &[]).unwrap(), Settings::default());
    let stun = load(&["--ice-server", "stun:192.0.2.1:3478"], None, &[]).unwrap();
    assert!(print(&stun).contains("stun:192.0.2.1"));
}

#[test]
fn public_opens_loopback_addresses_and_leaves_named_ones() {
    let addresses = |config: &Settings| {
        let http: Vec<_> =
            config.http.http.iter().chain([&config.http.https]).map(ToString::to_string).collect();
        (config.rtmp.addr.to_string(), config.webrtc.addr.to_string(), http.join(" "))
    };
    let mut config = load(&["--public", "--http", "127.0.0.1:1,[::1]:2,192.0.2.1:3"], None, &[]).unwrap();
    let mut local = Settings { public: false, ..config.clone() };
    let mut only_v4 = config.clone();
    only_v4.open_addresses(false);
    let http = "0.0.0.0:1 [::]:2 192.0.2.1:3 0.0.0.0:8443";
    assert_eq!(addresses(&only_v4), ("0.0.0.0:1935".into(), "0.0.0.0:8000".into(), http.into()));
    config.open_addresses(true);
    let http = "[::]:1 [::]:2 192.0.2.1:3 [::]:8443";
    assert_eq!(addresses(&config), ("[::]:1935".into(), "[::]:8000".into(), http.into()));
    // One socket serves both families.
    let mut twice = load(&["--public", "--http", "127.0.0.1:1,[::1]:1,:0,:0"], None, &[]).unwrap();
    twice.open_addresses(true);
    assert_eq!(addresses(&twice).2, "[::]:1 [::]:0 [::]:0 [::]:8443");
    let before = local.clone();
    local.open_addresses(true);
    assert_eq!(local, before);
    assert_eq!(config.data, PathBuf::from("lianmai-data"));
}

#[test]
fn https_can_be_elsewhere_or_nowhere() {
    let https = |flags: &[&str], file| load(flags, Some(file), &[]).map(|config| config.http.https.0);
    assert_eq!(https(&[], "").unwrap(), "127.0.0.1:8443".parse().ok());
    assert_eq!(https(&[], "https = \"[::1]:1\"").unwrap(), "[::1]:1".parse().ok());
    assert_eq!(https(&[], "https = \"\"").unwrap(), None);
    assert_eq!(https(&["--https="], "https = \"[::1]:1\"").unwrap(), None);
    assert_eq!(https(&[], "https = \"443\"").unwrap(), "127.0.0.1:443".parse().ok());
    let error = https(&[], "https = \"example.com:443\"").unwrap_err();
    assert!(error.contains("https") && error.contains("IP:PORT"), "{error}");
    let acme = load(&["--acme", "a.example,b.example"], Some("acme = [\"c.example\"]"), &[]).unwrap();
    assert_eq!(acme.http.tls.acme, ["a.example", "b.example"]);
}

#[test]
fn a_table_is_another_way_to_write_keys_that_begin_alike() {
    let table =
        "rtmp = \"127.0.0.1:7\"\n[auth]\njwks = [\"https://site.example/jwks\", \"keys.json\"]\nplay = true";
    let dotted = "auth.jwks = [\"a\"]\nauth.issuer = \"https://site.example\"";
    let config = load(&[], Some(table), &[]).unwrap();
    assert_eq!(config.auth.jwks, ["https://site.example/jwks", "keys.json"]);
    assert!(config.auth.play && config.auth.audience == "lianmai");
    assert_eq!(load(&[], Some(dotted), &[]).unwrap().auth.issuer, "https://site.example");
    assert_eq!(load(&["--auth-jwks", "b,c"], Some(table), &[]).unwrap().auth.jwks, ["b", "c"]);
    assert!(load(&[], Some("[auth]\njwk = []"), &[]).unwrap_err().contains("auth_jwk"));
    let twice = load(&[], Some("auth_play = true\n[auth]\nplay = false"), &[]).unwrap_err();
    assert!(twice.contains("auth_play") && twice.contains("twice"), "{twice}");
}
