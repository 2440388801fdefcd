//! A microphone that hears a recording, on machines without a sound card.

use std::fs;
use std::path::PathBuf;

use crate::common::data;

/// A device of ALSA that gives a recording and then silence for ever. Like ALSA's own `null`, which it is made of, it gives
/// them as fast as they are taken.
pub(crate) struct VirtualMicrophone {
    dir: tempfile::TempDir,
}

impl VirtualMicrophone {
    /// A microphone called `ting-speech`, the default as well, that hears `name` of `tests/data`.
    pub(crate) fn hearing(name: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let samples = dir.path().join("samples");
        fs::write(&samples, &fs::read(data(name)).unwrap()[44..]).unwrap();
        let device = "type plug\nslave { pcm \"sound\" rate 16000 channels 1 format S16_LE }";
        let config = format!(
            "pcm.null {{ type null }}
             pcm.sound {{ type file\nslave.pcm \"null\"\nfile \"/dev/null\"\ninfile \"{}\"\nformat \"raw\" }}
             pcm.ting-speech {{ {device}\nhint {{ show on\ndescription \"Speech of a test\" }} }}
             pcm.!default {{ {device}\nhint {{ show on\ndescription \"The default of a test\" }} }}\n",
            samples.display()
        );
        fs::write(dir.path().join("alsa.conf"), config).unwrap();
        let programs = dir.path().join("programs");
        fs::create_dir(&programs).unwrap();
        let path = std::env::var_os("PATH").unwrap();
        let mut all = std::env::split_paths(&path).map(|folder| folder.join("arecord"));
        let arecord = all.find(|path| path.is_file()).unwrap();
        std::os::unix::fs::symlink(arecord, programs.join("arecord")).unwrap();
        Self { dir }
    }

    /// A `PATH` without sound servers, which may be on a developer's machine.
    pub(crate) fn programs(&self) -> PathBuf {
        self.dir.path().join("programs")
    }

    /// The file for `ALSA_CONFIG_PATH`.
    pub(crate) fn config(&self) -> PathBuf {
        self.dir.path().join("alsa.conf")
    }
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
