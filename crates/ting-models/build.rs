//! Tells the crate whether the embedded model has a language model: `lm.bin` is optional.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(embedded_lm)");
    let file = "../../models/tiny/lm.bin";
    // A path that does not exist makes cargo run this script each time, so watch the folder instead.
    println!("cargo::rerun-if-changed=../../models/tiny");
    if Path::new(file).is_file() {
        println!("cargo::rustc-cfg=embedded_lm");
    }
}
