//! Running the binary, and files for it.
#![allow(dead_code, reason = "each test program uses its own part")]

pub(crate) mod serving;

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

/// The binary, which knows nothing of what the user who runs the tests has set and kept.
pub(crate) fn ting() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ting"));
    command
        .env_remove("TING_API_KEY")
        .env_remove("DASHSCOPE_API_KEY")
        .env_remove("TING_LOG")
        .env_remove("TING_DATA_DIR")
        .env("XDG_DATA_HOME", env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Runs `ting` with `args`, and nothing on standard input.
pub(crate) fn run(args: &[&str]) -> Output {
    ting().args(args).stdin(Stdio::null()).output().unwrap()
}

/// Standard output as text.
pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Standard error as text.
pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A recording of `tests/data` at the root of the repository.
pub(crate) fn data(name: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../tests/data")
        .join(name);
    assert!(path.is_file(), "{} is missing", path.display());
    path.to_str().unwrap().to_owned()
}

/// A second of silence as a WAV file at 16 kHz.
pub(crate) fn silent_wav() -> Vec<u8> {
    let mut wav = b"RIFF\x24\x7d\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0".to_vec();
    wav.extend(16_000u32.to_le_bytes());
    wav.extend(32_000u32.to_le_bytes());
    wav.extend(b"\x02\0\x10\0data");
    wav.extend(32_000u32.to_le_bytes());
    wav.resize(44 + 32_000, 0);
    wav
}
