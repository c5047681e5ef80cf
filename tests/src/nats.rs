//! nats-server, the bus of a cluster.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::gateway::temp_dir;
use crate::process::Process;
use crate::wait;

/// A running nats-server on a port of its own.
#[derive(Debug)]
pub struct Nats {
    /// The server's process.
    pub process: Process,
    port: u16,
    /// The port for other servers of its cluster.
    routes: Option<u16>,
    dir: PathBuf,
    /// A folder of its configuration or store.
    config: Option<PathBuf>,
}

impl Nats {
    /// Starts a server.
    #[track_caller]
    pub fn start() -> Self {
        Self::at("-1", &[])
    }

    /// Starts a server that takes TLS connections only, with this certificate and its key.
    #[track_caller]
    pub fn with_tls(cert: &Path, key: &Path) -> Self {
        let path = |path: &Path| path.to_string_lossy().into_owned();
        Self::at("-1", &["--tls", "--tlscert", &path(cert), "--tlskey", &path(key)])
    }

    /// Starts a server with this configuration, besides its ports.
    #[track_caller]
    pub fn with_config(lines: &str) -> Self {
        let dir = temp_dir("nats-config");
        let path = dir.join("nats.conf");
        fs::write(&path, lines).expect("a writable folder");
        let mut nats = Self::at("-1", &["--config", &path.to_string_lossy()]);
        nats.config = Some(dir);
        nats
    }

    /// Starts a server that keeps messages (JetStream).
    #[track_caller]
    pub fn with_store() -> Self {
        let dir = temp_dir("nats-store");
        let path = dir.to_string_lossy().into_owned();
        let mut nats = Self::at("-1", &["--jetstream", "--store_dir", &path]);
        nats.config = Some(dir);
        nats
    }

    /// Starts two servers that form one NATS cluster.
    #[track_caller]
    pub fn pair() -> [Self; 2] {
        let common = ["--cluster_name", "test", "--cluster", "nats://127.0.0.1:-1"];
        let first = Self::at("-1", &common);
        let second = Self::at("-1", &[&common[..], &["--routes", &first.route()]].concat());
        [first, second]
    }

    /// Returns its address for other servers of its cluster.
    ///
    /// # Panics
    ///
    /// If it was started without a cluster.
    #[track_caller]
    pub fn route(&self) -> String {
        format!("nats://127.0.0.1:{}", self.routes.expect("it has a port for other servers"))
    }

    /// Returns its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Kills the server, and starts another one on its port after `pause`.
    #[track_caller]
    pub fn restart(&mut self, pause: impl FnOnce()) {
        self.process.signal("KILL");
        self.process.wait(Duration::from_secs(60));
        pause();
        let port = self.port.to_string();
        *self = Self::at(&port, &[]);
    }

    #[track_caller]
    fn at(port: &str, more: &[&str]) -> Self {
        let dir = temp_dir("nats");
        let mut command = Command::new("nats-server");
        command.args(["--addr", "127.0.0.1", "--port", port, "--ports_file_dir"]).arg(&dir).args(more);
        let mut process = Process::start(&mut command);
        let file = dir.join(format!("nats-server_{}.ports", process.pid()));
        let (port, routes) = wait::until("the ports of nats-server", Duration::from_secs(60), || {
            if let Some(status) = process.ended() {
                panic!("nats-server ended with {status} instead of listening");
            }
            // The file may be incomplete at first.
            let ports: Value = serde_json::from_slice(&fs::read(&file).ok()?).ok()?;
            let port =
                |kind: &str| ports[kind].as_array()?.first()?.as_str()?.rsplit(':').next()?.parse().ok();
            Some((port("nats").or_else(|| port("tls"))?, port("cluster")))
        });
        Self { process, port, routes, dir, config: None }
    }

    /// Returns its address, for `--cluster`.
    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
        if let Some(config) = &self.config {
            let _ = fs::remove_dir_all(config);
        }
    }
}
