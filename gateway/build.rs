//! Rebuilds the gateway when its embedded files change.

use std::path::Path;

fn main() {
    for (made, parent) in [("../player-wasm/dist", "../player-wasm"), ("../demo/pages", "../demo")] {
        // Watching a missing path would rebuild on every build.
        let watched = if Path::new(made).exists() { made } else { parent };
        println!("cargo::rerun-if-changed={watched}");
    }
}
