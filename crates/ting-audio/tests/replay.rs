//! The corpora of the fuzz targets and everything they ever found, replayed by a stable compiler.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot get its files has failed"
)]

#[path = "common/hostile.rs"]
mod hostile;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use ting_audio::Format;

#[test]
fn corpora_and_findings() {
    let fuzz = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz"));
    let mut failures = Vec::new();
    for &format in Format::ALL {
        let mut seen = 0;
        for folder in ["corpus", "regressions"] {
            for file in files(&fuzz.join(folder).join(format.name())) {
                seen += 1;
                let data = std::fs::read(&file).unwrap();
                let run = || {
                    hostile::check(format, &data);
                    hostile::check_any(&data);
                };
                if catch_unwind(AssertUnwindSafe(run)).is_err() {
                    failures.push(file.display().to_string());
                }
            }
        }
        if seen == 0 {
            failures.push(format!("{} has no corpus", format.name()));
        }
    }
    for file in files(&fuzz.join("regressions/any")) {
        let data = std::fs::read(&file).unwrap();
        if catch_unwind(|| hostile::check_any(&data)).is_err() {
            failures.push(file.display().to_string());
        }
    }
    assert!(failures.is_empty(), "\n{}", failures.join("\n"));
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else {
        return Vec::new();
    };
    entries.map(|entry| entry.unwrap().path()).collect()
}
