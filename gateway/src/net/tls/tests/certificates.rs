//! Sources of certificates.

use std::fs;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use super::super::CertSource;
use super::super::current_cert::CurrentCert;
use super::super::files::Files;
use super::super::pair::Pair;
use super::TlsSettings;
use super::{Dir, pem};

fn after(days: u64) -> SystemTime {
    SystemTime::now() + Duration::from_secs(days * 24 * 3600)
}

fn der(pair: &Pair) -> Vec<u8> {
    pair.key.cert[0].to_vec()
}

#[test]
fn its_own_certificate_is_kept_until_it_ends_and_only_its_owner_reads_the_key() {
    let dir = Dir::new();
    let own = dir.own();
    let first = own.pair(SystemTime::now()).unwrap();
    assert_eq!(der(&own.pair(SystemTime::now()).unwrap()), der(&first));
    assert_eq!(der(&own.pair(after(360)).unwrap()), der(&first));
    let next = own.pair(after(370)).unwrap();
    assert_ne!(der(&next), der(&first));
    assert!(next.left(after(700)).is_some() && next.left(after(780)).is_none());
    assert_eq!(der(&own.pair(after(400)).unwrap()), der(&next));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(dir.0.join("data/key.pem")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}

#[test]
fn what_is_broken_in_the_data_folder_is_made_anew() {
    let dir = Dir::new();
    let own = dir.own();
    let mut last = der(&own.pair(SystemTime::now()).unwrap());
    let (other, _) = pem("other.example");
    for (file, text) in [("cert.pem", ""), ("cert.pem", &other), ("key.pem", "\0"), ("key.pem", &other)] {
        fs::write(dir.0.join("data").join(file), text).unwrap();
        let made = der(&own.pair(SystemTime::now()).unwrap());
        assert_ne!(made, last, "{file}");
        assert_eq!(der(&own.pair(SystemTime::now()).unwrap()), made);
        last = made;
    }
    fs::remove_file(dir.0.join("data/key.pem")).unwrap();
    assert_ne!(der(&own.pair(SystemTime::now()).unwrap()), last);
}

#[test]
fn without_a_place_to_keep_it_there_is_still_a_certificate() {
    let dir = Dir::new();
    let data = dir.file("data", "no folder");
    let own = dir.own();
    let first = own.pair(SystemTime::now()).unwrap();
    assert_ne!(der(&own.pair(SystemTime::now()).unwrap()), der(&first));
    assert_eq!(fs::read(data).unwrap(), b"no folder");
}

/// Returns the error text for the operator.
async fn refusal(dir: &Dir, config: &TlsSettings) -> String {
    dir.tls(config).expect_err("it is refused").to_string()
}

#[tokio::test]
async fn files_that_are_no_pair_are_refused_in_sentences() {
    let dir = Dir::new();
    let ((cert, key), (other, _)) = (pem("a.example"), pem("b.example"));
    let chain = format!("{cert}{other}");
    let locked = key.replace("PRIVATE", "ENCRYPTED PRIVATE");
    let tls = dir.tls(&dir.files((&chain, &key))).unwrap();
    assert_eq!(tls.source(), &CertSource::Files);
    let broken = cert.replace("MII", "AAA");
    for (cert, key, words) in [
        (&*cert, "", "k.pem (--key) holds no private key in PEM form"),
        (&cert, &cert, "k.pem (--key) holds no private key in PEM form"),
        (&cert, &locked, "is locked with a passphrase"),
        (&other, &key, "is not that of the first certificate in"),
        ("", &key, "c.pem (--cert) holds no certificate in PEM form"),
        ("\0\u{7f}", &key, "c.pem (--cert) holds no certificate in PEM form"),
        (&broken, &key, "c.pem (--cert) is broken"),
        (&cert[..cert.len() / 2], &key, "c.pem (--cert) is broken"),
        (&cert, &key.replace("MIG", "AAA"), "k.pem (--key) cannot be used"),
    ] {
        let said = refusal(&dir, &dir.files((cert, key))).await;
        assert!(said.contains(words), "{words}: {said}");
    }
    let config = dir.files((&cert, &key));
    let missing = TlsSettings { cert: dir.0.join("none.pem"), ..config.clone() };
    assert!(refusal(&dir, &missing).await.starts_with("cannot read "), "{}", refusal(&dir, &missing).await);
    let alone = TlsSettings { key: Default::default(), ..config.clone() };
    assert!(refusal(&dir, &alone).await.contains("--key is missing"));
    let both = TlsSettings { acme: vec!["a.example".to_owned()], ..config };
    assert!(refusal(&dir, &both).await.contains("--acme"));
}

#[tokio::test]
async fn what_acme_cannot_prove_is_refused_in_sentences() {
    let dir = Dir::new();
    for domain in
        ["192.0.2.1", "*.example.com", "example.com:443", "https://example.com", "exämple.com", "localhost"]
    {
        let config =
            TlsSettings { acme: vec!["ok.example".to_owned(), domain.to_owned()], ..TlsSettings::default() };
        assert!(refusal(&dir, &config).await.contains(&format!("`{domain}` (--acme)")));
    }
    let acme = vec!["a.example".to_owned()];
    for url in ["", "acme.example", "http://acme.example/", "https://"] {
        let config =
            TlsSettings { acme: acme.clone(), acme_directory: url.to_owned(), ..TlsSettings::default() };
        assert!(refusal(&dir, &config).await.contains("(--acme-directory)"), "{url}");
    }
    dir.file("data", "no folder");
    assert!(refusal(&dir, &TlsSettings { acme, ..TlsSettings::default() }).await.contains("data/acme: "));
}

#[tokio::test(start_paused = true)]
async fn changed_files_are_shown_and_broken_ones_are_not() {
    let dir = Dir::new();
    let config = dir.files((&pem("a.example").0, ""));
    let (cert, key) = pem("a.example");
    let files = Files::of(&dir.files((&cert, &key))).unwrap().unwrap();
    let texts = files.read().unwrap();
    let first = files.pair(&texts).unwrap();
    let current = Arc::new(CurrentCert::new(first.key.clone(), None));
    let watch = tokio::spawn(files.watch(texts, current.clone()));
    // The virtual clock stands still while files are read, and jumps from one check to the next.
    let looks = || tokio::time::sleep(Duration::from_secs(20));

    looks().await;
    assert!(Arc::ptr_eq(&current.own(), &first.key));
    let (next, next_key) = pem("a.example");
    fs::write(&config.cert, &next).unwrap();
    looks().await;
    assert!(Arc::ptr_eq(&current.own(), &first.key), "a certificate without its key");
    fs::write(&config.key, &next_key).unwrap();
    looks().await;
    let second = current.own();
    assert_eq!(second.cert[0], Pair::parse(next.as_bytes(), next_key.as_bytes()).unwrap().key.cert[0]);
    fs::remove_file(&config.key).unwrap();
    looks().await;
    assert!(Arc::ptr_eq(&current.own(), &second), "a key that is gone");
    dir.files((&cert, &key));
    looks().await;
    assert_eq!(current.own().cert[0], first.key.cert[0]);
    watch.abort();
}
