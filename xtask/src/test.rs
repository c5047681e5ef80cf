//! `cargo xtask test`.

use crate::sh::Result;

/// Every check and test.
pub(crate) fn run() -> Result {
    Err("not yet".into())
}
