//! `lianmai health`: asks a running gateway whether it is alive, for containers and service managers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use gateway::settings::Settings;
use http::{Request, header};
use http_body_util::Empty;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Maximum time for the whole check.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Asks the gateway with these settings for `/healthz`. Returns a line for the terminal.
///
/// # Errors
/// No HTTP address is known, or no healthy gateway answers there; the text says which address was asked.
pub(crate) fn run(settings: &Settings) -> Result<String, String> {
    let Address { addr, https } = address(settings)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| error.to_string())?;
    let status = runtime.block_on(async { timeout(TIMEOUT, ask(addr)).await });
    match status {
        // The HTTPS port refuses plain requests in words, which only a gateway that serves can do.
        Ok(Ok(status)) if status == 200 || https && status == 400 => Ok(format!("{addr}: healthy")),
        Ok(Ok(status)) => Err(format!("{addr} answered with status {status}: not a healthy gateway")),
        Ok(Err(error)) => Err(format!("no gateway answers on {addr}: {error}")),
        Err(_) => Err(format!("{addr} did not answer within {} s", TIMEOUT.as_secs())),
    }
}

/// Where to ask.
struct Address {
    addr: SocketAddr,
    /// The address takes HTTPS only.
    https: bool,
}

/// Returns the address to ask: from the ready file if the settings name one, since ports may be 0; otherwise the
/// first HTTP address, or the HTTPS address.
fn address(settings: &Settings) -> Result<Address, String> {
    let file = &settings.ready_file;
    let (http, https) = if file.as_os_str().is_empty() {
        let known = |addr: &SocketAddr| addr.port() != 0;
        let http = settings.http.http.iter().filter_map(|addr| addr.0).find(known);
        (http, settings.http.https.0.filter(known))
    } else {
        let text = std::fs::read_to_string(file)
            .map_err(|error| format!("{}: {error}; the gateway is not ready", file.display()))?;
        let ready: serde_json::Value =
            serde_json::from_str(&text).map_err(|error| format!("{}: {error}", file.display()))?;
        let addr = |entry: &serde_json::Value| entry.as_str().and_then(|addr| addr.parse().ok());
        (addr(&ready["http"][0]), addr(&ready["https"]))
    };
    let mut addr = http.or(https).ok_or(
        "the settings name no HTTP or HTTPS address with a port: set --http, --https or --ready-file",
    )?;
    match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => addr.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => addr.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    Ok(Address { addr, https: http.is_none() })
}

/// Requests `/healthz` and returns the status.
async fn ask(addr: SocketAddr) -> Result<u16, String> {
    let stream = TcpStream::connect(addr).await.map_err(|error| error.to_string())?;
    let (mut sender, connection) =
        http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    let request = Request::get("/healthz").header(header::HOST, addr.to_string()).body(Empty::<Bytes>::new());
    let request = request.map_err(|error| error.to_string())?;
    tokio::select! {
        answer = sender.send_request(request) => answer.map(|answer| answer.status().as_u16()).map_err(|error| error.to_string()),
        ended = connection => Err(ended.map_or_else(|error| error.to_string(), |()| "the connection ended".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(settings: &Settings) -> String {
        address(settings).map_or_else(|error| error, |address| address.addr.to_string())
    }

    #[test]
    fn the_address_is_that_of_the_ready_file_or_of_the_settings() {
        let file = std::env::temp_dir().join(format!("lianmai-health-{}.json", std::process::id()));
        let mut settings = Settings::default();
        assert_eq!(text(&settings), "127.0.0.1:8080");
        settings.http.http = vec!["[::]:81".parse().unwrap()];
        assert_eq!(text(&settings), "[::1]:81");
        settings.http.http = Vec::new();
        assert_eq!(text(&settings), "127.0.0.1:8443");
        settings.http.https = "".parse().unwrap();
        assert!(text(&settings).contains("--ready-file"));
        settings.ready_file = file.clone();
        assert!(text(&settings).contains("not ready"));
        std::fs::write(&file, r#"{"http":["0.0.0.0:4321"],"pid":1}"#).unwrap();
        assert_eq!(text(&settings), "127.0.0.1:4321");
        std::fs::remove_file(&file).unwrap();
    }
}
