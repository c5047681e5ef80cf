//! TLS errors, with texts for the operator.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::pair::PairError;

/// Why TLS cannot be used.
#[derive(Debug)]
pub enum TlsError {
    /// Only the other one of the two files is set.
    Missing(&'static str),
    /// Both files and ACME are set.
    Both,
    /// A file cannot be read; with its flag.
    Read(&'static str, PathBuf, io::Error),
    /// Certificate file, key file, and the fault.
    Files(PathBuf, PathBuf, PairError),
    /// A domain that ACME cannot validate.
    Domain(String),
    /// The directory URL of the ACME server is not valid.
    Directory(String),
    /// ACME's folder cannot be created.
    Folder(PathBuf, io::Error),
    /// No certificate could be created.
    Make(rcgen::Error),
    /// The gateway's own certificate cannot be used.
    Own(PairError),
    /// An error of the TLS library.
    Library(rustls::Error),
}

impl fmt::Display for TlsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(flag) => write!(f, "--cert and --key go together: {flag} is missing"),
            Self::Both => f.write_str("either --cert and --key or --acme: the certificate comes from one"),
            Self::Read(flag, path, e) => write!(f, "cannot read {} ({flag}): {e}", path.display()),
            Self::Files(cert, key, bad) => {
                let (cert, key) = (cert.display(), key.display());
                match bad {
                    PairError::NoCertificate => write!(f, "{cert} (--cert) holds no certificate in PEM form"),
                    PairError::NoKey => write!(f, "{key} (--key) holds no private key in PEM form"),
                    PairError::Locked => write!(
                        f,
                        "the key in {key} (--key) is locked with a passphrase; \
                         `openssl pkey -in {key} -out FILE` writes it without one"
                    ),
                    PairError::Differ => write!(
                        f,
                        "the key in {key} (--key) is not that of the first certificate in {cert} (--cert)"
                    ),
                    PairError::Certificate(why) => {
                        write!(f, "the certificate in {cert} (--cert) is broken: {why}")
                    }
                    PairError::Key(why) => write!(f, "the key in {key} (--key) cannot be used: {why}"),
                }
            }
            Self::Domain(domain) => {
                write!(
                    f,
                    "`{domain}` (--acme) is not a domain that ACME can check: use a public host name, without port and `*`"
                )
            }
            Self::Directory(url) => {
                write!(f, "`{url}` (--acme-directory) is not the https:// address of an ACME server")
            }
            Self::Folder(path, e) => write!(
                f,
                "{}: {e}; ACME needs a folder for the certificates, because servers give only a few per week",
                path.display()
            ),
            Self::Make(e) => write!(f, "cannot make a certificate: {e}"),
            Self::Own(bad) => write!(f, "cannot use the created certificate: {bad:?}"),
            Self::Library(e) => write!(f, "TLS: {e}"),
        }
    }
}

impl std::error::Error for TlsError {}
