//! The programs that tests need beside Rust.

use crate::sh::{Result, command, output, run, which};

struct Tool {
    program: &'static str,
    /// Debian's package.
    package: &'static str,
    what_for: &'static str,
}

const TOOLS: &[Tool] = &[
    Tool { program: "ffmpeg", package: "ffmpeg", what_for: "publishers and players" },
    Tool { program: "ffprobe", package: "ffmpeg", what_for: "looking at streams" },
    Tool { program: "nginx", package: "nginx-light", what_for: "a proxy before the gateway" },
    Tool { program: "pebble", package: "pebble", what_for: "getting certificates by ACME" },
    Tool { program: "wasm-opt", package: "binaryen", what_for: "the player's size" },
    Tool { program: "brotli", package: "brotli", what_for: "the player's files as they are served" },
    Tool { program: "openssl", package: "openssl", what_for: "DTLS peers and their certificates" },
    Tool { program: "gst-inspect-1.0", package: "gstreamer1.0-tools", what_for: "GStreamer as WebRTC peer" },
    Tool { program: "/usr/bin/python3", package: "python3", what_for: "WebRTC peers" },
    Tool { program: "chromium", package: "chromium", what_for: "browser tests" },
    Tool { program: "firefox-esr", package: "firefox-esr", what_for: "browser tests" },
    Tool { program: "node", package: "nodejs", what_for: "browser tests (20 or later)" },
    Tool { program: "npm", package: "npm", what_for: "browser tests" },
    Tool { program: "php", package: "php-cli", what_for: "WordPress" },
    Tool { program: "phpunit", package: "phpunit", what_for: "the plugin's own tests" },
    // The -core packages are programs without a service: nothing starts and nothing is asked.
    Tool { program: "mariadbd", package: "mariadb-server-core", what_for: "WordPress's database" },
    Tool { program: "my_print_defaults", package: "mariadb-client-core", what_for: "mariadb-install-db" },
    Tool { program: "xgettext", package: "gettext", what_for: "the plugin's translations" },
    Tool { program: "msgfmt", package: "gettext", what_for: "the plugin's translations" },
    Tool { program: "unzip", package: "unzip", what_for: "the plugin's zip" },
    Tool { program: "dpkg-deb", package: "dpkg", what_for: "unpacking WordPress" },
];

/// PHP's modules that are packages of their own, and a module that each of them has.
const PHP: [(&str, &str); 5] = [
    ("mysqli", "php-mysql"),
    ("pdo_sqlite", "php-sqlite3"),
    ("curl", "php-curl"),
    ("dom", "php-xml"),
    ("mbstring", "php-mbstring"),
];

/// GStreamer's elements, and the package that each of them is in.
const GSTREAMER: [(&str, &str); 6] = [
    ("webrtcbin", "gstreamer1.0-plugins-bad"),
    ("nicesrc", "gstreamer1.0-nice"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("rtph264pay", "gstreamer1.0-plugins-good"),
    ("opusenc", "gstreamer1.0-plugins-base"),
    ("avdec_h264", "gstreamer1.0-libav"),
];

/// Lines that Debian's Python must be able to run, and the package that each of them needs.
const PYTHON: [(&str, &str); 4] = [
    ("import pip", "python3-pip"),
    ("import gi", "python3-gi"),
    (
        "import importlib.util, sys; sys.exit(importlib.util.find_spec('gi.overrides.Gst') is None)",
        "python3-gst-1.0",
    ),
    ("import gi; gi.require_version('GstWebRTC', '1.0')", "gir1.2-gst-plugins-bad-1.0"),
];

/// Sees to it that every tool is there: by apt where that is ours to use, else by saying what is missing.
pub(crate) fn install() -> Result {
    let mut wanted = missing().iter().map(|missing| missing.package).collect::<Vec<_>>();
    wanted.dedup();
    if wanted.is_empty() {
        return node_is_new_enough();
    }
    if which("apt-get").is_some() && output(command("id").arg("-u")).is_ok_and(|id| id == "0") {
        // A page without any font has no size to look at.
        wanted.push("fonts-dejavu-core");
        let apt = |args: &[&str]| run(command("apt-get").env("DEBIAN_FRONTEND", "noninteractive").args(args));
        let all = [&["install", "--yes", "--no-install-recommends"], wanted.as_slice()].concat();
        // A mirror may fail once.
        for _ in 0..2 {
            if apt(&["update"]).and_then(|()| apt(&all)).is_ok() {
                break;
            }
        }
    }
    let still = missing();
    if still.is_empty() {
        return node_is_new_enough();
    }
    let lines = still.iter().map(|Missing { what, what_for, package }| {
        format!("\n  {what:<17} for {what_for} (Debian's package `{package}`)")
    });
    Err(format!("these programs are missing:{}", lines.collect::<String>()))
}

struct Missing {
    what: String,
    what_for: &'static str,
    package: &'static str,
}

fn missing() -> Vec<Missing> {
    let tools = TOOLS.iter().filter(|tool| which(tool.program).is_none()).map(|tool| Missing {
        what: tool.program.to_owned(),
        what_for: tool.what_for,
        package: tool.package,
    });
    let has = which("php").and_then(|php| output(command(php).arg("-m")).ok()).unwrap_or_default();
    let modules = PHP.iter().filter(|(module, _)| !has.lines().any(|line| line == *module)).map(
        |&(module, package)| Missing { what: format!("PHP's {module}"), what_for: "WordPress", package },
    );
    let succeeds = |program: &str, args: &[&str]| {
        which(program).is_some_and(|program| output(command(program).args(args)).is_ok())
    };
    let elements = GSTREAMER
        .iter()
        // `--exists` compares the plugin's version with GStreamer's, and libnice has one of its own.
        .filter(|(element, _)| !succeeds("gst-inspect-1.0", &[element]))
        .map(|&(element, package)| Missing {
            what: format!("GStreamer's {element}"),
            what_for: "WebRTC peers",
            package,
        });
    let python = PYTHON.iter().filter(|(line, _)| !succeeds("/usr/bin/python3", &["-c", line])).map(
        |&(_, package)| Missing { what: package.to_owned(), what_for: "WebRTC peers in Python", package },
    );
    tools.chain(modules).chain(elements).chain(python).collect()
}

fn node_is_new_enough() -> Result {
    let version = output(command("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        return Ok(());
    }
    Err(format!("node 20 or later is needed, this is {version}"))
}
