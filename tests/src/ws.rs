//! A WebSocket client.

use std::net::TcpStream;
use std::time::Duration;

use tokio_tungstenite::tungstenite;
use tungstenite::client::IntoClientRequest as _;
use tungstenite::stream::MaybeTlsStream;
pub use tungstenite::{Error, Message};

/// An open WebSocket.
pub type Socket = tungstenite::WebSocket<MaybeTlsStream<TcpStream>>;

/// Connects. If the server refused, the error contains its HTTP response.
pub fn connect(url: &str) -> Result<Socket, Box<Error>> {
    connect_with(url, &[])
}

/// Connects with these additional headers.
pub fn connect_with(url: &str, headers: &[(&'static str, &str)]) -> Result<Socket, Box<Error>> {
    let mut request = url.into_client_request()?;
    for (name, value) in headers {
        request.headers_mut().insert(*name, value.parse().expect("a header"));
    }
    let (mut socket, _) = tungstenite::connect(request)?;
    if let MaybeTlsStream::Plain(tcp) = socket.get_mut() {
        tcp.set_nodelay(true).map_err(Error::from)?;
        tcp.set_read_timeout(Some(Duration::from_secs(60))).map_err(Error::from)?;
    }
    Ok(socket)
}

/// Creates a close message with a code and a text.
pub fn close(code: u16, words: &str) -> tungstenite::protocol::CloseFrame {
    tungstenite::protocol::CloseFrame { code: code.into(), reason: words.into() }
}
