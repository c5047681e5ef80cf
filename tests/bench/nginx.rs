//! Debian's nginx with its rtmp module, on a port of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use lianmai_tests::gateway::temp_dir;
use lianmai_tests::{Process, wait};

const MODULE: &str = "/usr/lib/nginx/modules/ngx_rtmp_module.so";

/// A running nginx with one process.
pub(crate) struct Nginx {
    pub(crate) process: Process,
    pub(crate) rtmp: SocketAddr,
    dir: PathBuf,
}

impl Nginx {
    /// Starts nginx, if it is installed with its module.
    pub(crate) fn start() -> Option<Self> {
        let program =
            ["/usr/sbin/nginx", "/usr/bin/nginx"].into_iter().find(|path| Path::new(path).exists())?;
        Path::new(MODULE).exists().then_some(())?;
        let dir = temp_dir("nginx");
        // nginx cannot choose a free port itself.
        let rtmp = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let config = format!(
            "load_module {MODULE};\ndaemon off;\nmaster_process off;\nworker_processes 1;\n\
             pid {dir}/nginx.pid;\nerror_log {dir}/error.log warn;\n\
             events {{ worker_connections 2048; }}\n\
             rtmp {{ server {{ listen {rtmp}; application live {{ live on; }} }} }}\n",
            dir = dir.display(),
        );
        let file = dir.join("nginx.conf");
        fs::write(&file, config).expect("a writable folder");
        let process = Process::start(Command::new(program).arg("-c").arg(&file).arg("-p").arg(&dir));
        wait::until_true("nginx to listen", Duration::from_secs(10), || TcpStream::connect(rtmp).is_ok());
        Some(Self { process, rtmp, dir })
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}
