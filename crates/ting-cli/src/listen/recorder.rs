//! A microphone through the programs that Linux desktops record with.
//!
//! On Linux the microphone's own library needs ALSA's headers to build, which a machine that only serves should not
//! need. Each of these programs gives 16 kHz mono 16-bit samples on its standard output.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use ting_audio::SAMPLE_RATE;
use tokio::sync::mpsc;

use super::devices::{Device, choose, table};
use super::source::{Heard, Lost, Source, WAITING};
use crate::error::{CliError, CliErrorKind};

/// Bytes read at once: 100 ms.
const PIECE: usize = SAMPLE_RATE as usize / 10 * 2;

/// A program that has given nothing after this has no microphone: `pw-record` waits for one to be plugged in.
const FIRST_SOUND: Duration = Duration::from_secs(4);

/// How often it is looked whether the user has lost patience.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Lines of a program's complaints that are kept to explain its end.
const LAST_WORDS: usize = 4;

/// What to do where no program is.
const NONE: &str = "there is no program to record with: install one (apt-get install alsa-utils, pulseaudio-utils or \
                    pipewire-bin), or build ting with a microphone of its own (apt-get install libasound2-dev \
                    pkg-config; cargo build --release --features microphone), or pipe audio into `ting listen -`";

/// A program that records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Recorder {
    PipeWire,
    PulseAudio,
    Alsa,
}

/// Reads what a program lists.
type Parse = fn(&str) -> Vec<Device>;

impl Recorder {
    /// In the order they are tried: a sound server shares the microphone with other programs, ALSA may not.
    const ALL: [Self; 3] = [Self::PipeWire, Self::PulseAudio, Self::Alsa];

    fn program(self) -> &'static str {
        match self {
            Self::PipeWire => "pw-record",
            Self::PulseAudio => "parecord",
            Self::Alsa => "arecord",
        }
    }

    /// The command that records from `device`.
    fn command(self, device: Option<&str>) -> Command {
        let mut command = Command::new(self.program());
        match self {
            Self::PipeWire => {
                command.args(["--rate=16000", "--channels=1", "--format=s16"]);
                if writes_a_header() {
                    command.arg("--raw");
                }
                command.args(device.map(|name| format!("--target={name}")));
                command.arg("-");
            }
            Self::PulseAudio => {
                command.args(["--raw", "--rate=16000", "--channels=1", "--format=s16le"]);
                command.args(["--latency-msec=100", "--client-name=ting"]);
                command.args(device.map(|name| format!("--device={name}")));
            }
            Self::Alsa => {
                command.args(["-q", "-t", "raw", "-r", "16000", "-c", "1", "-f", "S16_LE"]);
                command.args(device.map(|name| format!("--device={name}")));
            }
        }
        command
    }

    /// What can be recorded from, or why that cannot be told.
    fn devices(self) -> Result<Vec<Device>, String> {
        let (command, parse): (&[&str], Parse) = match self {
            Self::PipeWire => (&["pw-dump"], pipewire_devices),
            Self::PulseAudio => (&["pactl", "list", "sources"], pulseaudio_devices),
            Self::Alsa => (&["arecord", "-L"], alsa_devices),
        };
        // In English, whatever the user speaks: the lists are read by a program.
        let output = Command::new(command[0])
            .args(&command[1..])
            .env("LC_ALL", "C")
            .stdin(Stdio::null())
            .output()
            .map_err(|error| format!("{} lists the microphones: {error}", command[0]))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            let said = said.trim().lines().next_back().unwrap_or("it failed");
            return Err(format!("{} says: {said}", command.join(" ")));
        }
        Ok(parse(&String::from_utf8_lossy(&output.stdout)))
    }
}

/// Whether this `pw-record` puts a header before samples on standard output unless told not to. Before 1.4 it did not,
/// and did not know the option.
fn writes_a_header() -> bool {
    let help = Command::new("pw-record")
        .arg("--help")
        .stdin(Stdio::null())
        .output();
    help.is_ok_and(|help| String::from_utf8_lossy(&help.stdout).contains("--raw"))
}

/// The programs that are there.
fn found() -> Vec<Recorder> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let all = Recorder::ALL.into_iter();
    all.filter(|recorder| {
        let mut folders = folders.iter();
        folders.any(|folder| folder.join(recorder.program()).is_file())
    })
    .collect()
}

fn failed(message: impl Into<String>) -> CliError {
    CliError::new(CliErrorKind::Input, message)
}

/// What can be recorded from, for people.
///
/// # Errors
/// `Input` when there is no program, or none that lists anything.
pub(crate) fn list() -> Result<String, CliError> {
    let recorders = found();
    if recorders.is_empty() {
        return Err(failed(NONE));
    }
    let mut reasons = Vec::new();
    for recorder in recorders {
        match recorder.devices() {
            Ok(devices) if devices.is_empty() => {
                reasons.push(format!("{} sees no microphone", recorder.program()));
            }
            Ok(devices) => return Ok(table(devices.iter())),
            Err(reason) => reasons.push(format!("{}: {reason}", recorder.program())),
        }
    }
    Err(failed(reasons.join("\n")))
}

/// Listens to the microphone `device`, or the usual one.
///
/// # Errors
/// `Input` when there is no program or it has no microphone, with all it said.
pub(crate) fn open(device: Option<&str>, cancelled: &AtomicBool) -> Result<Source, CliError> {
    let recorders = found();
    if recorders.is_empty() {
        return Err(failed(NONE));
    }
    let mut reasons = Vec::new();
    for recorder in recorders {
        match start(recorder, device, cancelled) {
            Ok(source) => return Ok(source),
            Err(reason) => reasons.push(format!("{}: {reason}", recorder.program())),
        }
        if cancelled.load(Ordering::Relaxed) {
            break;
        }
    }
    Err(failed(format!(
        "no sound from a microphone:\n{}\n`ting listen --list-devices` shows what there is; `ting listen FILE` listens \
         to a file",
        reasons.join("\n")
    )))
}

fn start(
    recorder: Recorder,
    wanted: Option<&str>,
    cancelled: &AtomicBool,
) -> Result<Source, String> {
    let device = match wanted {
        None => None,
        // ALSA opens far more names than it lists, such as `plughw:1,0`.
        Some(name) if recorder == Recorder::Alsa && name.contains(':') => Some(name.to_owned()),
        Some(name) => {
            let devices = recorder.devices()?;
            let device = choose(&devices, name).map_err(|error| error.to_string())?;
            Some(device.name.clone())
        }
    };
    let mut command = recorder.command(device.as_deref());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    own_process_group(&mut command);
    let mut child = command
        .spawn()
        .map_err(|error| format!("cannot be run: {error}"))?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let running = Running(child);
    let (Some(stdout), Some(stderr)) = (stdout, stderr) else {
        return Err("gives nothing to read".to_owned());
    };
    let (sender, heard) = mpsc::channel(WAITING);
    let (first_sender, first) = std::sync::mpsc::channel();
    let complaints = Complaints::default();
    let told = complaints.clone();
    let notes = sender.clone();
    let name = recorder.program();
    let listener = std::thread::spawn(move || told.collect(stderr, name, &notes));
    let last_words = complaints.clone();
    std::thread::spawn(move || {
        read(stdout, &first_sender, &sender);
        // It is over: what it complained about says why.
        let _ = listener.join();
        drop(first_sender);
        let end = Err(failed(format!("{name} ended: {}", last_words.last())));
        let _ = sender.blocking_send(Heard::End(end));
    });
    let late = Instant::now() + FIRST_SOUND;
    loop {
        match first.recv_timeout(LOOK_AGAIN) {
            Ok(()) => break,
            Err(RecvTimeoutError::Disconnected) => return Err(complaints.last()),
            // The program has to be ended, which it does not do by itself while it waits for a microphone.
            Err(RecvTimeoutError::Timeout) if cancelled.load(Ordering::Relaxed) => {
                return Err("was interrupted".to_owned());
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() > late => {
                return Err(format!("gave no sound in {} s", FIRST_SOUND.as_secs()));
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
    complaints.pass_on();
    Ok(Source {
        sample_rate: SAMPLE_RATE,
        name: match device {
            Some(device) => format!("{device}, through {name}"),
            None => format!("the microphone, through {name}"),
        },
        heard,
        lost: Lost::default(),
        _alive: Box::new(running),
    })
}

/// Ctrl+C is for `ting` alone: the program is ended when all it has recorded is read.
fn own_process_group(command: &mut Command) {
    use std::os::unix::process::CommandExt;
    command.process_group(0);
}

/// Hands on what the program records until it ends. Says to `first` when the first sound came.
fn read(
    mut stdout: ChildStdout,
    first: &std::sync::mpsc::Sender<()>,
    sender: &mpsc::Sender<Heard>,
) {
    let mut piece = [0; PIECE];
    while let Ok(length @ 1..) = stdout.read(&mut piece) {
        let _ = first.send(());
        let sent = sender.blocking_send(Heard::Samples(piece[..length].to_vec()));
        if sent.is_err() {
            return;
        }
    }
}

/// A program that is ended with this value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // Fails only when it ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a program says on its standard error.
#[derive(Clone, Default)]
struct Complaints(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    last: VecDeque<String>,
    /// Whether the user is told at once.
    passing: bool,
}

impl Complaints {
    fn said(&self) -> std::sync::MutexGuard<'_, Said> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn collect(&self, stderr: ChildStderr, name: &str, notes: &mpsc::Sender<Heard>) {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            let mut said = self.said();
            if said.passing {
                // Such as an overrun: sound was lost. When the queue is full there is worse to tell.
                let _ = notes.try_send(Heard::Note(format!("{name}: {line}")));
            }
            if said.last.len() == LAST_WORDS {
                said.last.pop_front();
            }
            said.last.push_back(line);
        }
    }

    /// From now on the user is told.
    fn pass_on(&self) {
        self.said().passing = true;
    }

    /// The last of it, on one line.
    fn last(&self) -> String {
        let said = self.said();
        if said.last.is_empty() {
            return "it does not say why".to_owned();
        }
        said.last
            .iter()
            .map(|line| line.trim())
            .collect::<Vec<_>>()
            .join("; ")
    }
}

/// The devices in the output of `arecord -L`: a name a line, and after it its description, indented.
fn alsa_devices(list: &str) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for line in list.lines().filter(|line| !line.trim().is_empty()) {
        if !line.starts_with(char::is_whitespace) {
            devices.push(Device::new(line.trim(), ""));
        } else if let Some(device) = devices.last_mut() {
            if !device.description.is_empty() {
                device.description += ", ";
            }
            device.description += line.trim();
        }
    }
    // It gives no sound, and is on every machine.
    devices.retain(|device| device.name != "null");
    devices
}

/// The devices in the output of `pactl list sources`.
fn pulseaudio_devices(list: &str) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for line in list.lines() {
        // Properties are indented further.
        if let Some(name) = line.strip_prefix("\tName: ") {
            devices.push(Device::new(name.trim(), ""));
        } else if let (Some(text), Some(device)) =
            (line.strip_prefix("\tDescription: "), devices.last_mut())
        {
            device.description = text.trim().to_owned();
        }
    }
    devices
}

/// The devices in the output of `pw-dump`, a JSON list of all objects.
fn pipewire_devices(list: &str) -> Vec<Device> {
    let objects: Vec<Value> = serde_json::from_str(list).unwrap_or_default();
    let device = |object: &Value| {
        let properties = object.get("info")?.get("props")?;
        let text = |name: &str| properties.get(name).and_then(Value::as_str);
        let class = text("media.class")?;
        let description = text("node.description").unwrap_or_default();
        let source = class == "Audio/Source" || class.starts_with("Audio/Source/");
        source.then(|| Some(Device::new(text("node.name")?, description)))?
    };
    objects.iter().filter_map(device).collect()
}

#[cfg(test)]
mod tests {
    use super::{Device, alsa_devices, pipewire_devices, pulseaudio_devices};

    #[test]
    fn lists_of_the_programs() {
        let alsa = "null\n    Discard all samples (playback) or generate zero samples (capture)\n\
                    default:CARD=PCH\n    HDA Intel PCH, ALC257\n    Default Audio Device\nmine\n";
        assert_eq!(
            alsa_devices(alsa),
            [
                Device::new(
                    "default:CARD=PCH",
                    "HDA Intel PCH, ALC257, Default Audio Device"
                ),
                Device::new("mine", "")
            ]
        );
        let pulse = "Source #1\n\tState: SUSPENDED\n\tName: alsa_output.pci.monitor\n\tDescription: Monitor of Built-in\n\
                     \tProperties:\n\t\tdevice.description = \"x\"\n\t\tName: y\n\nSource #2\n\tName: mic\n";
        assert_eq!(
            pulseaudio_devices(pulse),
            [
                Device::new("alsa_output.pci.monitor", "Monitor of Built-in"),
                Device::new("mic", "")
            ]
        );
        let pipewire = r#"[
            {"id": 1, "type": "PipeWire:Interface:Core"},
            {"id": 2, "info": {"props": {"media.class": "Audio/Sink", "node.name": "out"}}},
            {"id": 3, "info": {"props": {"media.class": "Audio/Source", "node.name": "mic", "node.description": "Blue Yeti"}}},
            {"id": 4, "info": {"props": {"media.class": "Audio/Source/Virtual", "node.name": "echo"}}}]"#;
        assert_eq!(
            pipewire_devices(pipewire),
            [Device::new("mic", "Blue Yeti"), Device::new("echo", "")]
        );
        for parse in [alsa_devices, pulseaudio_devices, pipewire_devices] {
            assert_eq!(parse(""), []);
            assert_eq!(parse("\u{fffd}\n\tx"), parse("\u{fffd}\n\tx"));
        }
    }
}
