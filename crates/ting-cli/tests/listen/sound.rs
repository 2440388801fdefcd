//! A microphone that hears a recording, on machines without a sound card.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::common::data;

/// How often sound comes.
const PERIOD: Duration = Duration::from_millis(50);

/// A device of ALSA whose sound a thread writes into a pipe, in real time: ALSA's own `null` gives it as fast as it is
/// taken.
pub(crate) struct VirtualMicrophone {
    dir: tempfile::TempDir,
}

impl VirtualMicrophone {
    /// A microphone called `ting-speech`, the default as well, that hears `name` of `tests/data` and then silence.
    pub(crate) fn hearing(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("sound");
        let made = Command::new("mkfifo").arg(&pipe).status().unwrap();
        assert!(made.success());
        let device = "type plug\nslave { pcm \"sound\" rate 16000 channels 1 format S16_LE }";
        let config = format!(
            "pcm.null {{ type null }}
             pcm.sound {{ type file\nslave.pcm \"null\"\nfile \"/dev/null\"\ninfile \"{}\"\nformat \"raw\" }}
             pcm.ting-speech {{ {device}\nhint {{ show on\ndescription \"Speech of a test\" }} }}
             pcm.!default {{ {device}\nhint {{ show on\ndescription \"The default of a test\" }} }}\n",
            pipe.display()
        );
        fs::write(dir.path().join("alsa.conf"), config).unwrap();
        let samples = fs::read(data(name)).unwrap()[44..].to_vec();
        // It ends when nobody opens the pipe any more, with the test.
        std::thread::spawn(move || while speak(&pipe, &samples) {});
        Self { dir }
    }

    /// The file for `ALSA_CONFIG_PATH`.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("alsa.conf")
    }
}

/// Writes sound until the reader goes. Whether there may be another.
fn speak(pipe: &Path, samples: &[u8]) -> bool {
    // Waits for a reader. The pipe goes with the test.
    let Ok(mut pipe) = File::options().write(true).open(pipe) else {
        return false;
    };
    let piece = PERIOD.as_millis() as usize * 32;
    let mut spoken = samples.chunks(piece);
    while pipe
        .write_all(spoken.next().unwrap_or(&vec![0; piece]))
        .is_ok()
    {
        std::thread::sleep(PERIOD);
    }
    true
}

/// A folder with a program `name` of this text, for `PATH`.
#[cfg(not(feature = "microphone"))]
pub(crate) fn program(name: &str, text: &str) -> tempfile::TempDir {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    dir
}
