//! Downloads a key set with HTTP `GET`.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::Scheme;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::Full;
use rustls::ClientConfig;
use tokio::time::timeout;

use crate::net::outgoing::{Connection, Resolver, Response, check};

/// Maximum size of a response in bytes.
const LARGEST: usize = 64 << 10;
/// Timeout for the whole download.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum number of redirections that are followed. Sites redirect when they have moved to https or to another path.
const HOPS: usize = 3;

/// Downloads `uri` and returns the body of the response. The error is a text for the log.
pub(super) async fn get(uri: &Uri, tls: &Arc<ClientConfig>) -> Result<Bytes, String> {
    let answer = timeout(PATIENCE, follow(uri.clone(), tls));
    answer.await.unwrap_or_else(|_| Err(format!("the server did not answer within {} s", PATIENCE.as_secs())))
}

/// Sends the request, and follows redirections.
async fn follow(mut uri: Uri, tls: &Arc<ClientConfig>) -> Result<Bytes, String> {
    for _ in 0..=HOPS {
        let Response { status, headers, body } = ask(&uri, tls).await?;
        if status == StatusCode::OK {
            return Ok(body);
        }
        if !status.is_redirection() {
            return Err(format!("the server answered with status {status}"));
        }
        uri = onward(&uri, &headers)?;
    }
    Err(format!("the server redirected more than {HOPS} times"))
}

/// Returns the target of a redirection. Fails if the target has another host, because the operator trusts only this
/// host, and if it leads from https to http.
fn onward(from: &Uri, headers: &HeaderMap) -> Result<Uri, String> {
    let to = headers.get(header::LOCATION).and_then(|to| to.to_str().ok()).unwrap_or_default();
    let bad = || {
        format!(
            "the server redirected to {to:?}, which is not an address of keys: set --auth-jwks to the right address"
        )
    };
    let to_uri: Uri = match to.strip_prefix('/') {
        Some(rest) if !rest.starts_with('/') => {
            let mut parts = from.clone().into_parts();
            parts.path_and_query = Some(to.parse().map_err(|_| bad())?);
            Uri::from_parts(parts).map_err(|_| bad())?
        }
        _ => to.parse().map_err(|_| bad())?,
    };
    check(&to_uri).map_err(|_| bad())?;
    let same = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a.eq_ignore_ascii_case(b));
    if !same(from.host(), to_uri.host()) {
        return Err(format!(
            "the server redirected to another host ({to}): set --auth-jwks to that address if you trust it"
        ));
    }
    if from.scheme() == Some(&Scheme::HTTPS) && to_uri.scheme() != Some(&Scheme::HTTPS) {
        return Err(format!("the server redirected from https to http ({to})"));
    }
    Ok(to_uri)
}

async fn ask(uri: &Uri, tls: &Arc<ClientConfig>) -> Result<Response, String> {
    let addresses = Resolver::new(uri.clone()).addresses().await?;
    let request = Request::get("/")
        .header(header::ACCEPT, "application/json")
        .header(header::CONNECTION, "close")
        .body(Full::new(Bytes::new()))
        .map_err(|error| error.to_string())?;
    let mut connection = Connection::open(uri, &addresses, tls).await?;
    connection.send(uri, request, LARGEST).await.map_err(|error| error.text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn redirections_stay_with_the_host_and_with_https() {
        let from: Uri = "https://site.example/wp-json/lianmai/v1/jwks".parse().unwrap();
        let go = |from: &Uri, to: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::LOCATION, to.parse().unwrap());
            onward(from, &headers).map(|uri| uri.to_string())
        };
        assert_eq!(go(&from, "/a?b=c").unwrap(), "https://site.example/a?b=c");
        assert_eq!(go(&from, "https://SITE.example:444/a").unwrap(), "https://SITE.example:444/a");
        let plain: Uri = "http://site.example/x".parse().unwrap();
        assert_eq!(go(&plain, "https://site.example/x").unwrap(), "https://site.example/x");
        for bad in [
            "http://site.example/a",
            "https://other.example/a",
            "//other.example/a",
            "a",
            "",
            "ftp://site.example/",
        ] {
            assert!(go(&from, bad).is_err(), "{bad:?}");
        }
        assert!(onward(&from, &HeaderMap::new()).is_err());
    }
}
