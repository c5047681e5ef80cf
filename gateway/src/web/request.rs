//! Extracts stream names, query values and client information from HTTP requests.

use http::{HeaderMap, HeaderName, StatusCode, header};

use super::problem::Problem;
use crate::core::name::StreamName;

/// Maximum number of characters of a header that are kept for the API and the log.
const MAX_SHOWN: usize = 200;

/// Parses a path as a stream name: `/live/x` is `live/x`.
///
/// # Errors
/// 400 if the decoded path is not UTF-8 or not a stream name.
pub fn stream_name(path: &str) -> Result<StreamName, Problem> {
    Ok(StreamName::parse(&decoded(path)?)?)
}

/// Decodes the percent encoding of a path (RFC 3986 2.1).
///
/// # Errors
/// 400 if the result is not UTF-8.
pub fn decoded(path: &str) -> Result<std::borrow::Cow<'_, str>, Problem> {
    let decoded = percent_encoding::percent_decode_str(path).decode_utf8();
    decoded.map_err(|_| Problem::new(StatusCode::BAD_REQUEST, "the stream's name is not UTF-8"))
}

/// Iterates over all values of `key` in a query, in order.
pub fn query<'a>(query: &'a str, key: &'a str) -> impl Iterator<Item = String> + 'a {
    form_urlencoded::parse(query.as_bytes())
        .filter(move |(k, _)| k == key)
        .map(|(_, value)| value.into_owned())
}

/// Returns the start of a header for the API and the log; empty if it is missing or not ASCII.
pub fn shown(headers: &HeaderMap, name: HeaderName) -> String {
    cut(headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default())
}

/// Returns the start of a client's text, up to the length that is kept.
pub fn cut(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}

/// Returns the requested address for the API: without the query, which may contain a secret.
pub fn address(scheme: &str, secure: bool, headers: &HeaderMap, path: &str) -> String {
    let s = if secure { "s" } else { "" };
    format!("{scheme}{s}://{}{path}", shown(headers, header::HOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_decoded_once() {
        assert_eq!(stream_name("/live/a%2Bb").unwrap().as_str(), "live/a+b");
        assert_eq!(stream_name("/live/a+b").unwrap().as_str(), "live/a+b");
        // Decoding twice would turn the first into `a+b`. Decoding once leaves a `%`, which names must not
        // contain.
        for bad in ["/live/a%252Bb", "/live/%ff", "/live", "/", "/live/a%00b"] {
            assert_eq!(stream_name(bad).unwrap_err().status, StatusCode::BAD_REQUEST, "{bad}");
        }
    }

    #[test]
    fn headers_of_clients_are_cut() {
        let mut headers = HeaderMap::new();
        headers.insert(header::HOST, "h".repeat(500).parse().unwrap());
        assert_eq!(shown(&headers, header::HOST).len(), MAX_SHOWN);
        assert_eq!(shown(&headers, header::USER_AGENT), "");
        assert_eq!(address("http", true, &HeaderMap::new(), "/live/x.flv"), "https:///live/x.flv");
    }
}
