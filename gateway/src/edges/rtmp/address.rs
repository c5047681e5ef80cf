//! Parses the stream address from `tcUrl`, `app` and the stream key of a client.

use crate::core::hub::{NameError, StreamName};

/// The parts of a requested address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The stream name, or the reason why it is invalid.
    pub name: Result<StreamName, NameError>,
    /// The queries of key, application and `tcUrl`, joined by `&`.
    pub query: String,
    /// Host from `tcUrl`, with the port if it has one.
    pub host: Option<String>,
}

impl Address {
    /// Parses `rtmp://host/app/stream?query`, however the client has split it.
    ///
    /// The application ends at the last slash of both parts together: server `rtmp://host/a/` with key `b/c`,
    /// and `rtmp://host/a/b` with key `c`, are the same stream `a/b/c`. If the key is a complete address, as
    /// some cameras send, the other parts are ignored. SRS's `?vhost=` and `...vhost...` are ignored: this
    /// server has one host.
    pub fn new(tc_url: &str, app: &str, key: &str) -> Self {
        let (app, app_query) = split_query(app);
        let (key, key_query) = split_query(key);
        let key = decode(key);
        let (app, key) = path_of_url(&key).map_or((app, &*key), |path| ("", path));
        let (tc_path, tc_query) = split_query(tc_url);
        // Most clients repeat the application and its query in tcUrl.
        let tc_query = if tc_query == app_query { "" } else { tc_query };
        let queries: Vec<&str> =
            [key_query, app_query, tc_query].into_iter().filter(|q| !q.is_empty()).collect();
        Self {
            name: StreamName::new(&decode(app), key),
            query: queries.join("&"),
            host: host(tc_path).map(str::to_owned),
        }
    }

    /// Returns the address without its query, which may contain secrets.
    pub fn url(&self) -> String {
        let name = self.name.as_ref().map(StreamName::as_str).unwrap_or_default();
        let host = self.host.as_deref().unwrap_or("localhost");
        // An invalid host is not shown.
        format!("rtmp://{}/{name}", if is_host(host) { host } else { "?" })
    }
}

fn split_query(text: &str) -> (&str, &str) {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    // The old SRS form: live...vhost...example.com
    (path.split_once("...").map_or(path, |(path, _)| path), query.trim_end_matches('/'))
}

/// Returns the part after the host of an RTMP address.
fn path_of_url(text: &str) -> Option<&str> {
    let (scheme, rest) = text.split_once("://")?;
    let known = ["rtmp", "rtmps", "rtmpt", "rtmpe", "rtmpte", "rtmpts"];
    let known = known.iter().any(|known| scheme.trim_start_matches('/').eq_ignore_ascii_case(known));
    known.then(|| rest.split_once('/').map_or("", |(_, path)| path))
}

fn host(tc_url: &str) -> Option<&str> {
    let (_, rest) = tc_url.split_once("://")?;
    let authority = rest.split('/').next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (!host.is_empty()).then_some(host)
}

/// Returns whether `text` is a valid host and port. It is shown to people and written to the log.
fn is_host(text: &str) -> bool {
    text.len() <= 255 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:[]".contains(&b))
}

/// Decodes `%XX` as in a URL. Invalid escapes stay, and the name parser rejects them.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let digit = |at: usize| bytes.get(at).and_then(|b| char::from(*b).to_digit(16));
    let (mut out, mut at) = (Vec::with_capacity(bytes.len()), 0);
    while at < bytes.len() {
        match (bytes[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(out).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(tc_url: &str, app: &str, key: &str) -> (String, String, String) {
        let address = Address::new(tc_url, app, key);
        let name = address.name.map_or_else(|why| why.to_string(), |name| name.to_string());
        (name, address.query, address.host.unwrap_or_default())
    }

    fn is(name: &str, query: &str, host: &str) -> (String, String, String) {
        (name.to_owned(), query.to_owned(), host.to_owned())
    }

    #[test]
    fn every_way_to_cut_an_address_gives_the_same_stream() {
        let expect = is("live/livestream", "secret=x", "h:1935");
        assert_eq!(read("rtmp://h:1935/live", "live", "livestream?secret=x"), expect);
        // OBS with a slash at the end of its server address.
        assert_eq!(read("rtmp://h:1935/live/", "live/", "livestream?secret=x"), expect);
        assert_eq!(read("rtmp://h:1935/live?secret=x", "live?secret=x", "livestream"), expect);
        assert_eq!(read("rtmp://h:1935/live?secret=x", "live", "/livestream"), expect);
        assert_eq!(read("rtmp://u:p@h:1935/", "", "live/livestream?secret=x"), expect);
        assert_eq!(read("rtmp://h:1935/live...vhost...v", "live...vhost...v", "livestream?secret=x"), expect);
    }

    #[test]
    fn a_whole_address_as_key_is_that_address() {
        for key in [
            "rtmp://h:1935/live/cam?secret=x",
            "RTMPS://h/live/cam?secret=x",
            "/rtmp://other//live/cam?secret=x",
        ] {
            assert_eq!(read("rtmp://h:1935/live", "live", key), is("live/cam", "secret=x", "h:1935"));
        }
        assert_eq!(read("rtmp://h/a", "a", "rtmp%3A%2F%2Fh%2Fb%2Fc%2Fd"), is("b/c/d", "", "h"));
        let words = NameError::Empty.to_string();
        for key in ["rtmp://h/cam", "rtmp://h", "rtmp://"] {
            assert_eq!(read("rtmp://h/live", "live", key), is(&words, "", "h"));
        }
        // Text with a colon that is not an address is a name.
        assert_eq!(read("rtmp://h/live", "live", "mp4:cam"), is("live/mp4:cam", "", "h"));
        assert_eq!(read("rtmp://h/live//", "live//", "/cam"), is("live/cam", "", "h"));
    }

    #[test]
    fn levels_escapes_and_several_queries() {
        assert_eq!(read("rtmp://[::1]:7/a/b", "a/b", "c"), is("a/b/c", "", "[::1]:7"));
        assert_eq!(read("rtmp://[::1]:7/a", "a", "b/c"), is("a/b/c", "", "[::1]:7"));
        assert_eq!(read("", "live", "%E8%BF%9E"), is("live/连", "", ""));
        assert_eq!(read("rtmp://h/live?vhost=v", "live?vhost=v", "s?k=1"), is("live/s", "k=1&vhost=v", "h"));
        let words = NameError::Empty.to_string();
        assert_eq!(read("rtmp://h/live", "live", ""), is(&words, "", "h"));
        assert_eq!(Address::new("", "live", "a%2g").name, Err(NameError::Character('%')));
        assert_eq!(Address::new("", "live", "..").name, Err(NameError::Character('.')));
        assert_eq!(Address::new("rtmp://h/live", "live", "s?secret=x").url(), "rtmp://h/live/s");
        let long = format!("rtmp://{}/live", "h".repeat(256));
        for bad in ["rtmp://h\nERROR x/live", "rtmp://\x1b[2J/live", "rtmp://h\u{202e}/live", &long] {
            let address = Address::new(bad, "live", "s");
            assert_eq!(address.url(), "rtmp://?/live/s", "{bad:?}");
            assert!(address.host.is_some(), "one that is no host is not one that is missing");
        }
    }
}
