//! The place of the default data folder.

use std::env;
use std::path::Path;

/// The default of the setting `data`, below the folder in which the gateway is started.
pub(super) const DEFAULT: &str = "lianmai-data";

/// Checks that the data folder does not land in the root folder just because a service was started there.
///
/// # Errors
/// A text: it would, and nobody has named a folder.
pub fn check_data_folder(data: &Path) -> Result<(), String> {
    let root = Path::new("/");
    let is_in_root = data == Path::new(DEFAULT) && env::current_dir().is_ok_and(|folder| folder == root);
    // A folder that is there was used before.
    if is_in_root && !root.join(DEFAULT).exists() {
        return Err(format!(
            "the data folder would be /{DEFAULT}, because the program was started in /: name a folder with --data \
             (LIANMAI_DATA), for example /var/lib/lianmai"
        ));
    }
    Ok(())
}
