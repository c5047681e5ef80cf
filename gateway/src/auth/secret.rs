//! The publish secret that the gateway makes for itself.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use rand::TryRngCore as _;

/// Letters and digits that nobody mixes up, and that need no escape in an address: 32 of them.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 5 bits each: 120 bits.
const LENGTH: usize = 24;

/// The secret kept in the folder `data`; made when there is none and `make` says so.
pub fn secret_of(data: &Path, make: bool) -> io::Result<Option<String>> {
    let path = data.join("publish-secret");
    match fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => return Ok(Some(text.trim().to_owned())),
        Ok(_) => fs::remove_file(&path)?,
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        Err(_) => {}
    }
    if !make {
        return Ok(None);
    }
    fs::create_dir_all(data)?;
    let secret = random()?;
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    writeln!(options.open(&path)?, "{secret}")?;
    Ok(Some(secret))
}

fn random() -> io::Result<String> {
    let mut bytes = [0; LENGTH];
    rand::rngs::OsRng.try_fill_bytes(&mut bytes).map_err(io::Error::other)?;
    Ok(bytes.iter().map(|b| ALPHABET[usize::from(b % 32)] as char).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_made_once_and_only_its_owner_reads_it() {
        let dir = std::env::temp_dir().join(format!("lianmai-secret-{}", std::process::id()));
        assert_eq!(secret_of(&dir, false).unwrap(), None);
        let made = secret_of(&dir, true).unwrap().unwrap();
        assert_eq!(made.len(), LENGTH);
        assert_eq!(secret_of(&dir, true).unwrap(), Some(made.clone()));
        assert_eq!(secret_of(&dir, false).unwrap(), Some(made.clone()));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = fs::metadata(dir.join("publish-secret")).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        fs::remove_dir_all(&dir).unwrap();
        assert_ne!(random().unwrap(), made);
    }
}
