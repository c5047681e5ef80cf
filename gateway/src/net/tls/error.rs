//! Why there is no TLS, in sentences for the operator.

use std::fmt;
use std::io;
use std::path::PathBuf;

use super::pair::Bad;

/// Why there is no TLS.
#[derive(Debug)]
pub enum TlsError {
    /// One of the two files is named, this one is not.
    Missing(&'static str),
    /// Files and ACME at once.
    Both,
    /// A file that can't be read; with the flag that names it.
    Read(&'static str, PathBuf, io::Error),
    /// The certificate's file, the key's file, and what is wrong.
    Files(PathBuf, PathBuf, Bad),
    /// What ACME can't prove.
    Domain(String),
    /// No address of an ACME server.
    Directory(String),
    /// ACME's folder can't be made.
    Folder(PathBuf, io::Error),
    /// No certificate could be made.
    Make(rcgen::Error),
    /// What was made here can't be used.
    Own(Bad),
    /// The TLS library refuses.
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
                    Bad::NoCertificate => write!(f, "{cert} (--cert) holds no certificate in PEM form"),
                    Bad::NoKey => write!(f, "{key} (--key) holds no private key in PEM form"),
                    Bad::Locked => write!(
                        f,
                        "the key in {key} (--key) is locked with a passphrase; \
                         `openssl pkey -in {key} -out FILE` writes it without one"
                    ),
                    Bad::Differ => write!(
                        f,
                        "the key in {key} (--key) is not that of the first certificate in {cert} (--cert)"
                    ),
                    Bad::Certificate(why) => write!(f, "the certificate in {cert} (--cert) is broken: {why}"),
                    Bad::Key(why) => write!(f, "the key in {key} (--key) cannot be used: {why}"),
                }
            }
            Self::Domain(domain) => {
                write!(f, "`{domain}` (--acme) is no domain that ACME can prove: no address, no port, no `*`")
            }
            Self::Directory(url) => {
                write!(f, "`{url}` (--acme-directory) is not the https:// address of an ACME server")
            }
            Self::Folder(path, e) => write!(
                f,
                "{}: {e}; ACME needs a place to keep what it gets, since servers give only a few a week",
                path.display()
            ),
            Self::Make(e) => write!(f, "cannot make a certificate: {e}"),
            Self::Own(bad) => write!(f, "cannot use the certificate that was made: {bad:?}"),
            Self::Library(e) => write!(f, "TLS: {e}"),
        }
    }
}

impl std::error::Error for TlsError {}
