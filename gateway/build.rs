//! Rebuilds the gateway when the files that it carries change.

use std::path::Path;

fn main() {
    for (made, parent) in [("../player-wasm/dist", "../player-wasm"), ("../demo/pages", "../demo")] {
        // To watch what is not there would be to build every time.
        let watched = if Path::new(made).exists() { made } else { parent };
        println!("cargo::rerun-if-changed={watched}");
    }
}
