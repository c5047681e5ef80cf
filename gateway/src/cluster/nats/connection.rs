//! One connection to a NATS server: greeting, login, and then messages both ways until it ends.

use std::time::Duration;

use bytes::BytesMut;
use serde::Deserialize;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};
use tokio::time::timeout;

use super::address::{Login, NatsAddress};
use super::credentials::Credentials;
use super::wire::{Heard, NatsReader};
use crate::core::text::quoted;
use crate::remote::{Dialer, Stream};

/// Timeout for a connection with its login.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Size of the buffer for what comes, in bytes.
const READ_SIZE: usize = 64 << 10;

/// What a server tells about itself, as far as it matters here.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ServerInfo {
    nonce: String,
    tls_required: bool,
    /// The other servers of its cluster.
    pub(super) connect_urls: Option<Vec<String>>,
}

/// A connection that is logged in.
pub(super) struct Connection {
    reader: ReadHalf<Box<dyn Stream>>,
    pub(super) writer: WriteHalf<Box<dyn Stream>>,
    input: BytesMut,
    parser: NatsReader,
    pub(super) info: ServerInfo,
}

/// How a node logs in.
#[derive(Debug)]
pub(super) struct Visitor {
    /// Shown by the server.
    pub(super) name: String,
    pub(super) credentials: Option<Credentials>,
    pub(super) dialer: Dialer,
}

impl Visitor {
    /// Connects and logs in.
    ///
    /// # Errors
    /// The server cannot be reached, is not trusted, or refuses; the text says which one and why, without secrets.
    pub(super) async fn connect(&self, to: &NatsAddress) -> Result<Connection, String> {
        let late = |_| Err(format!("no connection within {} s", CONNECT_TIMEOUT.as_secs()));
        let connected = timeout(CONNECT_TIMEOUT, self.try_connect(to)).await.unwrap_or_else(late);
        connected.map_err(|error| format!("{to}: {error}"))
    }

    async fn try_connect(&self, to: &NatsAddress) -> Result<Connection, String> {
        let mut stream = self.dialer.dial_tcp(&to.host, to.port).await?;
        // Small messages wait for acknowledgements otherwise. Failing to set it is harmless.
        let _ = stream.set_nodelay(true);
        let (mut input, mut parser) = (BytesMut::with_capacity(READ_SIZE), NatsReader::default());
        let info = loop {
            match parser.next(&mut input).map_err(|_| "the server does not speak NATS")? {
                Some(Heard::Info(json)) => break read_info(&json)?,
                Some(Heard::Error(error)) => return Err(quoted(&error)),
                Some(_) => return Err("the server does not speak NATS".to_owned()),
                None => {}
            }
            if stream.read_buf(&mut input).await.map_err(|error| error.to_string())? == 0 {
                return Err("the server closed the connection".to_owned());
            }
        };
        let stream = if to.tls || info.tls_required {
            Box::new(self.dialer.secure(to.tls_name(), stream).await?) as Box<dyn Stream>
        } else {
            Box::new(stream) as Box<dyn Stream>
        };
        let (reader, writer) = tokio::io::split(stream);
        let mut connection = Connection { reader, writer, input, parser, info };
        let login = self.login(to, &connection.info.nonce);
        let text = format!("CONNECT {login}\r\nPING\r\n");
        connection.writer.write_all(text.as_bytes()).await.map_err(|error| error.to_string())?;
        connection.writer.flush().await.map_err(|error| error.to_string())?;
        loop {
            match connection.hear().await? {
                Heard::Pong => return Ok(connection),
                Heard::Error(error) => return Err(format!("the server refuses: {}", quoted(&error))),
                Heard::Info(json) => connection.info = read_info(&json)?,
                _ => {}
            }
        }
    }

    /// Returns the JSON of the login.
    fn login(&self, to: &NatsAddress, nonce: &str) -> serde_json::Value {
        let mut login = json!({
            "verbose": false, "pedantic": false, "lang": "rust", "version": env!("CARGO_PKG_VERSION"),
            "name": self.name, "protocol": 1, "echo": true, "headers": true, "no_responders": true,
        });
        match &to.login {
            Login::None => {}
            Login::Token(token) => login["auth_token"] = token.as_str().into(),
            Login::User(user, password) => {
                login["user"] = user.as_str().into();
                login["pass"] = password.as_str().into();
            }
        }
        if let Some(credentials) = &self.credentials {
            login["sig"] = credentials.sign(nonce).into();
            match credentials.jwt() {
                Some(jwt) => login["jwt"] = jwt.into(),
                None => login["nkey"] = credentials.public_key().into(),
            }
        }
        login
    }
}

impl Connection {
    /// Returns the next message of the server. Safe to cancel and call again.
    ///
    /// # Errors
    /// The connection has ended, or the server does not speak the protocol.
    pub(super) async fn hear(&mut self) -> Result<Heard, String> {
        hear(&mut self.reader, &mut self.input, &mut self.parser).await
    }

    /// Returns the parts that are used at the same time: what hears, and what writes.
    pub(super) fn split(self) -> (Ear, WriteHalf<Box<dyn Stream>>) {
        let Self { reader, writer, input, parser, .. } = self;
        (Ear { reader, input, parser }, writer)
    }
}

/// The half of a connection that hears.
pub(super) struct Ear {
    reader: ReadHalf<Box<dyn Stream>>,
    input: BytesMut,
    parser: NatsReader,
}

impl Ear {
    /// The same as [`Connection::hear`].
    pub(super) async fn hear(&mut self) -> Result<Heard, String> {
        hear(&mut self.reader, &mut self.input, &mut self.parser).await
    }
}

async fn hear(
    reader: &mut ReadHalf<Box<dyn Stream>>,
    input: &mut BytesMut,
    parser: &mut NatsReader,
) -> Result<Heard, String> {
    loop {
        if let Some(heard) = parser.next(input).map_err(|_| "the server does not speak NATS")? {
            return Ok(heard);
        }
        input.reserve(READ_SIZE);
        if reader.read_buf(input).await.map_err(|error| error.to_string())? == 0 {
            return Err("the server closed the connection".to_owned());
        }
    }
}

/// Reads what a server tells about itself.
pub(super) fn read_info(json: &[u8]) -> Result<ServerInfo, String> {
    serde_json::from_slice(json).map_err(|error| format!("cannot read the server's INFO: {error}"))
}
