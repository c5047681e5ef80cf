//! The floors of the gateway: a new module needs one line in [`GATEWAY`].

/// The modules that a module of the gateway may use. A new module needs an entry here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Floor {
    /// May use only the named modules and those below them.
    Base(&'static [&'static str]),
    /// Every module in this folder may use itself and the base: a protocol, or a job. It may not use its
    /// neighbours.
    Edge,
    /// May use all modules.
    Top,
}

/// The folders, from bottom to top. The longest matching path applies.
pub(crate) const GATEWAY: &[(&str, Floor)] = &[
    ("flags", Floor::Base(&[])),
    ("limits", Floor::Base(&["flags"])),
    ("secret_file", Floor::Base(&[])),
    ("log", Floor::Base(&["flags"])),
    ("net::child", Floor::Base(&[])),
    ("net::wake", Floor::Base(&[])),
    ("net::proxies", Floor::Base(&["flags"])),
    ("net::worker", Floor::Base(&["net::proxies", "net::wake"])),
    ("net::tls", Floor::Base(&["flags", "limits", "net::worker", "secret_file"])),
    ("net::outgoing", Floor::Base(&[])),
    ("core::name", Floor::Base(&[])),
    ("core::date", Floor::Base(&[])),
    ("core::text", Floor::Base(&[])),
    ("core::client", Floor::Base(&[])),
    ("core::close", Floor::Base(&[])),
    ("core::facts", Floor::Base(&[])),
    ("core::bus", Floor::Base(&["core::name"])),
    ("core::session", Floor::Base(&["core::client", "core::close", "core::name"])),
    (
        "core::admission::grant",
        Floor::Base(&["core::client", "core::close", "core::name", "core::session", "limits"]),
    ),
    (
        "core::hub",
        Floor::Base(&[
            "core::admission::grant",
            "core::client",
            "core::close",
            "core::facts",
            "core::name",
            "core::session",
            "limits",
            "net::wake",
        ]),
    ),
    ("core::refusals", Floor::Base(&["net"])),
    (
        "core::auth",
        Floor::Base(&[
            "core::client",
            "core::name",
            "core::refusals",
            "core::text",
            "flags",
            "net",
            "secret_file",
        ]),
    ),
    ("core::admission", Floor::Base(&["core", "flags", "limits", "net::worker"])),
    ("derive::derived", Floor::Base(&["core::hub"])),
    ("derive::transcode", Floor::Base(&["core::hub", "derive::derived", "flags", "net"])),
    ("derive::batch", Floor::Base(&["core::hub", "derive::derived", "derive::transcode"])),
    ("rtmp", Floor::Base(&["core", "derive"])),
    ("rtc", Floor::Base(&[])),
    ("remote", Floor::Base(&["core", "flags", "net", "rtc", "rtmp"])),
    ("web", Floor::Base(&["core", "net"])),
    ("context", Floor::Base(&["core", "derive", "flags", "limits", "net"])),
    ("service", Floor::Base(&["context", "net"])),
    ("cluster", Floor::Base(&["context", "core", "flags", "net", "remote", "service"])),
    ("edges", Floor::Edge),
    ("jobs::mix", Floor::Base(&["context", "core", "derive", "flags", "jobs", "limits", "net", "service"])),
    (
        "jobs::forward",
        Floor::Base(&[
            "context",
            "core",
            "derive",
            "flags",
            "jobs",
            "net",
            "remote",
            "rtmp",
            "secret_file",
            "service",
        ]),
    ),
    (
        "jobs::pull",
        Floor::Base(&["context", "core", "flags", "jobs", "net", "remote", "rtmp", "secret_file", "service"]),
    ),
    ("jobs::slate", Floor::Base(&["context", "core", "flags", "jobs", "net", "service"])),
    (
        "jobs::record",
        Floor::Base(&["context", "core", "flags", "jobs", "limits", "net", "secret_file", "service", "web"]),
    ),
    ("rooms", Floor::Base(&["context", "core", "flags", "jobs::mix", "limits", "net", "service", "web"])),
    ("jobs", Floor::Edge),
    ("settings", Floor::Top),
    ("api", Floor::Top),
    ("metrics", Floor::Top),
    ("http", Floor::Top),
    ("hooks", Floor::Top),
    ("metering", Floor::Top),
    ("serve", Floor::Top),
    ("token", Floor::Top),
    ("console", Floor::Top),
    ("health", Floor::Top),
];
