//! The parts of a server's address in RTMP's commands.

use std::fmt;

/// An address as the commands of a client give it. It may contain secrets, so it is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct ClientAddress {
    /// `rtmp://host/app`, without the stream.
    pub tc_url: String,
    /// The application: everything between the host and the last slash.
    pub app: String,
    /// The stream key, with its query.
    pub key: String,
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClientAddress")
    }
}

impl ClientAddress {
    /// Divides the path and query of an address, which begin after the host. `origin` is scheme and host. Returns
    /// `None` if the path has no application or no stream.
    pub fn new(origin: &str, path: &str) -> Option<Self> {
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let (app, name) = path.trim_matches('/').rsplit_once('/')?;
        let app = app.trim_end_matches('/');
        if app.is_empty() || name.is_empty() {
            return None;
        }
        let key = query.map_or_else(|| name.to_owned(), |query| format!("{name}?{query}"));
        Some(Self { tc_url: format!("{origin}/{app}"), app: app.to_owned(), key })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_segment_is_the_key() {
        let address = ClientAddress::new("rtmp://h:1936", "/live/a/b?secret=x/y").unwrap();
        assert_eq!((&*address.tc_url, &*address.app), ("rtmp://h:1936/live/a", "live/a"));
        assert_eq!(address.key, "b?secret=x/y");
        assert!(!format!("{address:?}").contains("secret"));
        for bad in ["", "/", "/live", "/live/", "//x", "?a/b"] {
            assert_eq!(ClientAddress::new("rtmp://h", bad), None, "{bad:?}");
        }
    }
}
