//! The programs that tests need in addition to Rust.

use crate::sh::{Result, command, output, run, which};

/// The purpose of a program. A part of the tests lists its purposes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// ffmpeg as publisher and player.
    Streams,
    /// Other programs as WebRTC peers.
    Rtc,
    /// Proxies and certificate authorities.
    Operation,
    /// Smaller downloads for browsers. The player can be built without these programs.
    Size,
    Browser,
    Node,
    WordPress,
    /// The plugin's PHP style, which `check` tests without the other requirements of WordPress.
    PhpStyle,
}

impl Use {
    const ALL: &[Self] = &[
        Self::Streams,
        Self::Rtc,
        Self::Operation,
        Self::Size,
        Self::Browser,
        Self::Node,
        Self::WordPress,
        Self::PhpStyle,
    ];
}

struct Tool {
    program: &'static str,
    /// The Debian package.
    package: &'static str,
    used: Use,
    what_for: &'static str,
}

const fn tool(program: &'static str, package: &'static str, used: Use, what_for: &'static str) -> Tool {
    Tool { program, package, used, what_for }
}

const TOOLS: &[Tool] = &[
    tool("ffmpeg", "ffmpeg", Use::Streams, "publishers and players"),
    tool("ffprobe", "ffmpeg", Use::Streams, "looking at streams"),
    tool("nginx", "nginx-light", Use::Operation, "a proxy before the gateway"),
    tool(
        "/usr/lib/nginx/modules/ngx_rtmp_module.so",
        "libnginx-mod-rtmp",
        Use::Operation,
        "nginx as a server for forwards",
    ),
    tool("nats-server", "nats-server", Use::Operation, "the bus of a cluster"),
    tool("pebble", "pebble", Use::Operation, "getting certificates by ACME"),
    tool("dpkg", "dpkg", Use::Operation, "the gateway's Debian package"),
    tool("systemd-analyze", "systemd", Use::Operation, "the service file"),
    tool("wasm-opt", "binaryen", Use::Size, "the player's size"),
    tool("brotli", "brotli", Use::Size, "the player's files as they are served"),
    tool("openssl", "openssl", Use::Rtc, "DTLS peers and their certificates"),
    tool("gst-inspect-1.0", "gstreamer1.0-tools", Use::Rtc, "GStreamer as WebRTC peer"),
    tool("/usr/bin/python3", "python3", Use::Rtc, "WebRTC peers"),
    tool("chromium", "chromium", Use::Browser, "browser tests"),
    tool("firefox-esr", "firefox-esr", Use::Browser, "browser tests"),
    tool("node", "nodejs", Use::Node, "browser tests (20 or later)"),
    tool("npm", "npm", Use::Node, "browser tests"),
    tool("php", "php-cli", Use::WordPress, "WordPress"),
    tool("phpcs", "php-codesniffer", Use::PhpStyle, "the plugin's style"),
    tool("phpunit", "phpunit", Use::WordPress, "the plugin's own tests"),
    // The -core packages contain programs without a service: nothing is started, and no questions are asked.
    tool("mariadbd", "mariadb-server-core", Use::WordPress, "WordPress's database"),
    tool("my_print_defaults", "mariadb-client-core", Use::WordPress, "mariadb-install-db"),
    tool("xgettext", "gettext", Use::WordPress, "the plugin's translations"),
    tool("msgfmt", "gettext", Use::WordPress, "the plugin's translations"),
    tool("unzip", "unzip", Use::WordPress, "the plugin's zip"),
    tool("dpkg-deb", "dpkg", Use::WordPress, "unpacking WordPress"),
];

/// PHP's modules with their own packages, and a module to test for each.
const PHP: [(&str, &str); 5] = [
    ("mysqli", "php-mysql"),
    ("pdo_sqlite", "php-sqlite3"),
    ("curl", "php-curl"),
    ("dom", "php-xml"),
    ("mbstring", "php-mbstring"),
];

/// GStreamer's elements, and the package of each.
const GSTREAMER: [(&str, &str); 6] = [
    ("webrtcbin", "gstreamer1.0-plugins-bad"),
    ("nicesrc", "gstreamer1.0-nice"),
    ("x264enc", "gstreamer1.0-plugins-ugly"),
    ("rtph264pay", "gstreamer1.0-plugins-good"),
    ("opusenc", "gstreamer1.0-plugins-base"),
    ("avdec_h264", "gstreamer1.0-libav"),
];

/// Statements that Debian's Python must be able to run, and the package for each.
const PYTHON: [(&str, &str); 4] = [
    ("import pip", "python3-pip"),
    ("import gi", "python3-gi"),
    (
        "import importlib.util, sys; sys.exit(importlib.util.find_spec('gi.overrides.Gst') is None)",
        "python3-gst-1.0",
    ),
    ("import gi; gi.require_version('GstWebRTC', '1.0')", "gir1.2-gst-plugins-bad-1.0"),
];

/// Fails with the names of the programs that are missing for `uses`. Installs nothing.
pub(crate) fn require(uses: &[Use]) -> Result {
    let missing = missing(uses);
    if !missing.is_empty() {
        return Err(format!("{}\n`cargo xtask tools` installs them as root on Debian", list(&missing)));
    }
    if uses.contains(&Use::Node) { node_is_new_enough() } else { Ok(()) }
}

/// Installs missing programs with apt, as root where apt exists; elsewhere fails with a list of them.
pub(crate) fn install() -> Result {
    let mut wanted = missing(Use::ALL).iter().map(|missing| missing.package).collect::<Vec<_>>();
    wanted.dedup();
    if wanted.is_empty() {
        return node_is_new_enough();
    }
    if which("apt-get").is_some() && output(command("id").arg("-u")).is_ok_and(|id| id == "0") {
        // A page without any font has no measurable text size.
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
    let still = missing(Use::ALL);
    if still.is_empty() {
        return node_is_new_enough();
    }
    Err(list(&still))
}

fn list(missing: &[Missing]) -> String {
    let lines = missing.iter().map(|Missing { what, what_for, package, .. }| {
        format!("\n  {what:<17} for {what_for} (Debian's package `{package}`)")
    });
    format!("these programs are missing:{}", lines.collect::<String>())
}

struct Missing {
    what: String,
    what_for: &'static str,
    package: &'static str,
}

/// Returns the missing programs for `uses`. Checks nothing else: some checks take a second each.
fn missing(uses: &[Use]) -> Vec<Missing> {
    let tools = TOOLS.iter().filter(|tool| uses.contains(&tool.used) && which(tool.program).is_none());
    let mut missing: Vec<Missing> = tools
        .map(|tool| Missing { what: tool.program.to_owned(), what_for: tool.what_for, package: tool.package })
        .collect();
    if uses.contains(&Use::WordPress) {
        missing.extend(missing_php());
    }
    if uses.contains(&Use::Rtc) {
        missing.extend(missing_peers());
    }
    missing
}

fn missing_php() -> impl Iterator<Item = Missing> {
    let has = which("php").and_then(|php| output(command(php).arg("-m")).ok()).unwrap_or_default();
    PHP.iter()
        .filter(move |(module, _)| !has.lines().any(|line| line == *module))
        .map(|&(module, package)| Missing { what: format!("PHP's {module}"), what_for: "WordPress", package })
}

fn missing_peers() -> impl Iterator<Item = Missing> {
    let succeeds = |program: &str, args: &[&str]| {
        which(program).is_some_and(|program| output(command(program).args(args)).is_ok())
    };
    let elements = GSTREAMER
        .iter()
        // `--exists` compares the plugin's version with GStreamer's, but libnice has its own versions.
        .filter(move |(element, _)| !succeeds("gst-inspect-1.0", &[element]))
        .map(|&(element, package)| Missing {
            what: format!("GStreamer's {element}"),
            what_for: "WebRTC peers",
            package,
        });
    let python = PYTHON.iter().filter(move |(line, _)| !succeeds("/usr/bin/python3", &["-c", line])).map(
        |&(_, package)| Missing { what: package.to_owned(), what_for: "WebRTC peers in Python", package },
    );
    elements.chain(python)
}

fn node_is_new_enough() -> Result {
    let version = output(command("node").arg("--version"))?;
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse::<u32>().ok());
    if major.is_some_and(|major| major >= 20) {
        return Ok(());
    }
    Err(format!("node 20 or later is needed, this is {version}"))
}
