//! Tells a service manager that the gateway is ready or stops: the protocol of `sd_notify`, one datagram for each state.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::net::{SocketAddr, UnixDatagram};

/// The variable with the manager's socket. It is missing if nobody wants to know.
const SOCKET: &str = "NOTIFY_SOCKET";

/// All clients are served from now on.
pub(super) const READY: &str = "READY=1";
/// The gateway ends.
pub(super) const STOPPING: &str = "STOPPING=1";

/// Tells the service manager a state, if there is one.
pub(super) fn tell(state: &str) {
    let Some(socket) = std::env::var_os(SOCKET) else { return };
    if let Err(error) = send(&socket, state) {
        tracing::warn!(socket = ?socket, %error, "the service manager was not told");
    }
}

fn send(socket: &OsStr, state: &str) -> io::Result<()> {
    let addr = match socket.as_bytes() {
        // A name that is not in the file system.
        #[cfg(target_os = "linux")]
        [b'@', name @ ..] => <SocketAddr as std::os::linux::net::SocketAddrExt>::from_abstract_name(name)?,
        path => SocketAddr::from_pathname(OsStr::from_bytes(path))?,
    };
    UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &addr).map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_manager_gets_the_state_by_either_kind_of_name() {
        use std::os::linux::net::SocketAddrExt as _;
        let path = std::env::temp_dir().join(format!("lianmai-notify-{}", std::process::id()));
        let name = format!("lianmai-notify-{}", std::process::id());
        let by_path = UnixDatagram::bind(&path).unwrap();
        let by_name = UnixDatagram::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        for (manager, socket) in [(by_path, path.display().to_string()), (by_name, format!("@{name}"))] {
            send(OsStr::new(&socket), READY).unwrap();
            let mut told = [0; 32];
            let length = manager.recv(&mut told).unwrap();
            assert_eq!(&told[..length], READY.as_bytes());
        }
        std::fs::remove_file(&path).unwrap();
        assert!(send(path.as_os_str(), READY).is_err());
    }
}
