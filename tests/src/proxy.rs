//! Proxies between a client and the gateway.

use std::fs;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::gateway::temp_dir;
use crate::process::Process;
use crate::wait;

/// Forwards TCP connections, like ssh -R, socat or a container's port mapping; ends with the program.
#[track_caller]
pub fn forwarder(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(far) = TcpStream::connect(to) else { continue };
            let (Ok(near_in), Ok(far_in)) = (near.try_clone(), far.try_clone()) else { continue };
            thread::spawn(move || pass(near_in, far));
            thread::spawn(move || pass(far_in, near));
        }
    });
    addr
}

/// Forwards TCP connections from the address 127.0.0.2, and begins each with these bytes; ends with the program.
#[track_caller]
pub fn load_balancer(to: SocketAddr, header: &'static [u8]) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let addr = listener.local_addr().expect("it listens");
    thread::spawn(move || {
        for near in listener.incoming().map_while(Result::ok) {
            let Ok(mut far) = connect_from([127, 0, 0, 2], to) else { continue };
            if far.write_all(header).is_err() {
                continue;
            }
            let (Ok(near_in), Ok(far_in)) = (near.try_clone(), far.try_clone()) else { continue };
            thread::spawn(move || pass(near_in, far));
            thread::spawn(move || pass(far_in, near));
        }
    });
    addr
}

/// Forwards TCP connections until it is cut: then nothing passes in either direction, as if a cable was pulled, and new
/// connections are taken and lead nowhere.
#[derive(Debug)]
pub struct Cable {
    /// The address on which it listens.
    pub addr: SocketAddr,
    cut: Arc<Cut>,
}

/// Whether a cable is cut, and a way to wait for its repair.
#[derive(Debug, Default)]
struct Cut {
    state: Mutex<bool>,
    changed: Condvar,
}

impl Cut {
    fn state(&self) -> MutexGuard<'_, bool> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_until_over(&self) {
        let over = self.changed.wait_while(self.state(), |cut| *cut);
        drop(over.unwrap_or_else(PoisonError::into_inner));
    }
}

impl Cable {
    /// Forwards to `to`; ends with the program.
    #[track_caller]
    pub fn start(to: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let addr = listener.local_addr().expect("it listens");
        let cut = Arc::<Cut>::default();
        let is_cut = cut.clone();
        thread::spawn(move || {
            for near in listener.incoming().map_while(Result::ok) {
                let Ok(far) = TcpStream::connect(to) else { continue };
                let (Ok(near_in), Ok(far_in)) = (near.try_clone(), far.try_clone()) else { continue };
                let (one, other) = (is_cut.clone(), is_cut.clone());
                thread::spawn(move || pass_unless(near_in, far, &one));
                thread::spawn(move || pass_unless(far_in, near, &other));
            }
        });
        Self { addr, cut }
    }

    /// Cuts it, or lets bytes pass again. Connections from before do not recover what was lost, and end.
    pub fn cut(&self, cut: bool) {
        *self.cut.state() = cut;
        self.cut.changed.notify_all();
    }
}

/// Passes bytes on. The connection ends with the first bytes that come after a cut is over.
fn pass_unless(mut from: TcpStream, mut to: TcpStream, cut: &Cut) {
    let (mut buffer, mut lost) = ([0; 16 * 1024], false);
    while let Ok(n @ 1..) = from.read(&mut buffer) {
        let is_cut = *cut.state();
        if !is_cut && (lost || to.write_all(&buffer[..n]).is_err()) {
            break;
        }
        lost |= is_cut;
    }
    // A connection that ends during a cut does not reach the other side either.
    cut.wait_until_over();
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Connects from another address of this machine.
fn connect_from(from: [u8; 4], to: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from((from, 0)).into())?;
    socket.connect(&to.into())?;
    Ok(socket.into())
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    // The end of either side ends this direction.
    let _ = std::io::copy(&mut from, &mut to);
    let _ = to.shutdown(Shutdown::Write);
}

/// nginx in front of a gateway.
#[derive(Debug)]
pub struct Nginx {
    _process: Process,
    dir: PathBuf,
}

impl Nginx {
    /// Forwards everything to `to`, with these lines in its `location`.
    #[track_caller]
    pub fn start(to: SocketAddr, lines: &str) -> Self {
        Self::with(&format!(
            "access_log off;
            server {{
                listen unix:FOLDER/socket default_server;
                location / {{ proxy_pass http://{to}; {lines} }}
            }}"
        ))
    }

    /// Starts nginx with these lines in its `http`. It listens on `unix:FOLDER/socket`, because nginx cannot choose a
    /// free port; `FOLDER` is its folder.
    #[track_caller]
    pub fn with(lines: &str) -> Self {
        let dir = temp_dir("nginx");
        let config = format!(
            "daemon off; master_process off; pid FOLDER/pid; error_log stderr; events {{ worker_connections 1024; }}
            http {{
                client_body_temp_path FOLDER/body; proxy_temp_path FOLDER/proxy; fastcgi_temp_path FOLDER/fastcgi;
                uwsgi_temp_path FOLDER/uwsgi; scgi_temp_path FOLDER/scgi;
                {lines}
            }}"
        );
        let config = config.replace("FOLDER", &dir.display().to_string());
        fs::write(dir.join("nginx.conf"), config).expect("a writable folder");
        let mut command = Command::new("nginx");
        command.arg("-e").arg("stderr").arg("-p").arg(&dir).arg("-c").arg(dir.join("nginx.conf"));
        let process = Process::start(&mut command);
        let nginx = Self { _process: process, dir };
        wait::until_true("nginx to listen", Duration::from_secs(60), || nginx.connect().is_ok());
        nginx
    }

    /// Returns the content of `FOLDER/log`.
    pub fn log(&self) -> String {
        fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Requests `GET path`. Returns the status and the body, without what is not text.
    #[track_caller]
    pub fn ask_bytes(&self, path: &str) -> (u16, String) {
        let mut socket = self.connect().expect("nginx listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let request = format!("GET {path} HTTP/1.1\r\nHost: example.com\r\nConnection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("nginx takes a request");
        let mut answer = Vec::new();
        socket.read_to_end(&mut answer).expect("nginx answers");
        let answer = String::from_utf8_lossy(&answer);
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        (status.unwrap_or_else(|| panic!("no answer to {path}")), body.to_owned())
    }

    fn connect(&self) -> std::io::Result<UnixStream> {
        UnixStream::connect(self.dir.join("socket"))
    }

    /// Requests `GET path`, and returns the status of the response and the connection, which goes on.
    #[track_caller]
    pub fn open(&self, path: &str, headers: &str) -> (u16, UnixStream) {
        let mut socket = self.connect().expect("nginx listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let request = format!("GET {path} HTTP/1.1\r\n{headers}\r\n");
        socket.write_all(request.as_bytes()).expect("nginx takes a request");
        let mut head = [0; 12];
        socket.read_exact(&mut head).expect("nginx answers");
        let status = std::str::from_utf8(&head[9..]).ok().and_then(|code| code.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {head:?}")), socket)
    }

    /// Sends a request as a stranger might. Returns the status and the rest of the response.
    #[track_caller]
    pub fn ask(&self, method: &str, path: &str, headers: &str) -> (u16, String) {
        let mut socket = self.connect().expect("nginx listens");
        socket.set_read_timeout(Some(Duration::from_secs(60))).expect("a timeout can be set");
        let length = if method == "POST" { "Content-Length: 0\r\n" } else { "" };
        let request = format!("{method} {path} HTTP/1.1\r\n{headers}{length}Connection: close\r\n\r\n");
        socket.write_all(request.as_bytes()).expect("nginx takes a request");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("nginx answers");
        let status = answer.split(' ').nth(1).and_then(|code| code.parse().ok());
        (status.unwrap_or_else(|| panic!("no answer: {answer:?}")), answer)
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
