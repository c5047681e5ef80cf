mod certificates;
mod connections;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::SystemTime;

use super::own::{OwnCertFiles, make};
use super::{OwnCertInfo, Tls, TlsError, TlsSettings};

/// A temporary folder for one test.
struct Dir(PathBuf);

impl Dir {
    fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let n = COUNT.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("lianmai-tls-{}-{n}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// Writes a file and returns its path.
    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        crate::secret_file::write(&path, text, 0o600).unwrap();
        path
    }

    /// The gateway's own certificate with these settings, before there is one.
    fn own(&self) -> OwnCertFiles {
        OwnCertFiles::of(&TlsSettings::default(), &OwnCertInfo { data: &self.0.join("data"), listeners: &[] })
    }

    /// TLS with these settings and a data folder of its own.
    fn tls(&self, settings: &TlsSettings) -> Result<Tls, TlsError> {
        Tls::new(settings, &OwnCertInfo { data: &self.0.join("data"), listeners: &[] })
    }

    /// Returns settings with `text`s as the operator's files.
    fn files(&self, (cert, key): (&str, &str)) -> TlsSettings {
        TlsSettings { cert: self.file("c.pem", cert), key: self.file("k.pem", key), ..TlsSettings::default() }
    }
}

impl Drop for Dir {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).unwrap();
    }
}

/// Returns a certificate for `name` and its key.
fn pem(name: &str) -> (String, String) {
    make(&[name.to_owned()], SystemTime::now()).unwrap()
}
