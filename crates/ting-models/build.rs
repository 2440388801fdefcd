//! Tells the crate which optional files the embedded model has.

use std::path::Path;

fn main() {
    // A path that does not exist makes cargo run this script each time, so watch the folder instead.
    println!("cargo::rerun-if-changed=../../models/tiny");
    for (file, cfg) in [
        ("lm.bin", "embedded_lm"),
        ("lexicon.txt.gz", "embedded_lexicon"),
        ("dictionary.txt.gz", "embedded_dictionary"),
        ("recurrent_lm.safetensors", "embedded_recurrent_lm"),
        ("punc.safetensors", "embedded_punctuator"),
    ] {
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        if Path::new("../../models/tiny").join(file).is_file() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
