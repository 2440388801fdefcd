//! Microphones: through ALSA's library with the feature `microphone`, else through the programs that record.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

use super::sound::VirtualMicrophone;
use crate::common::{data, stderr, stdout, ting};
use crate::{signal, transcribed};

/// Whether ALSA is there to be heard through. tests/setup.sh installs it; other systems have none.
fn has_alsa() -> bool {
    let there = Command::new("arecord").arg("--version").output();
    let there = there.is_ok_and(|output| output.status.success());
    if !there {
        println!("skipped: no arecord");
    }
    there && cfg!(target_os = "linux")
}

/// `ting listen` where only ALSA is to be found.
fn listen(microphone: &VirtualMicrophone, args: &[&str]) -> Command {
    let mut command = ting();
    command
        .arg("listen")
        .args(args)
        .env("ALSA_CONFIG_PATH", microphone.config())
        .env("PATH", microphone.programs())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(mut command: Command) -> Output {
    command.output().unwrap()
}

#[test]
fn what_the_microphone_hears_is_printed_until_ctrl_c() {
    if !has_alsa() {
        return;
    }
    for args in [&[][..], &["--device", "TEST"], &["--device", "ting-speech"]] {
        // `TEST` is in both descriptions.
        let several = args.contains(&"TEST");
        let microphone = VirtualMicrophone::hearing("hello_zh.wav");
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.txt");
        let mut command = listen(&microphone, args);
        command.args([
            "--max-sentence-silence",
            "500",
            "--save",
            path.to_str().unwrap(),
        ]);
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        lines.read_line(&mut line).unwrap();
        if several {
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(1));
            let said = stderr(&output);
            assert!(
                said.contains("several") && said.contains("\nting-speech"),
                "{said}"
            );
            continue;
        }
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        assert!(!line.trim().is_empty(), "{}", stderr(&output));
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut lines, &mut rest).unwrap();
        let saved = std::fs::read_to_string(path).unwrap();
        assert_eq!(saved, line.clone() + &rest);
        let said = stderr(&output);
        let expected = transcribed("text", &data("hello_zh.wav"));
        if cfg!(feature = "microphone") {
            // It comes at any speed. Where that is too fast the user is told, at once and how much it was at the end; what is
            // lost is silence, because the queue is longer than the recording.
            let told = |part: &str| said.contains(part);
            assert_eq!(
                told("sound is being lost"),
                told(" of sound were lost"),
                "{said}"
            );
            // It went through other rates and channels, and need not be the same to the letter.
            let common = line.chars().filter(|c| expected.contains(*c)).count();
            assert!(common > 8, "{line} {expected}");
        } else {
            // A program that records waits until it is read.
            // It had much silence ready when Ctrl+C came, which may take a second.
            assert!(!said.contains("lost"), "{said}");
            assert_eq!(line, expected.lines().next().unwrap().to_owned() + "\n");
        }
    }
}

#[test]
fn microphones_are_listed() {
    if !has_alsa() {
        return;
    }
    let microphone = VirtualMicrophone::hearing("hello_zh.wav");
    let output = run(listen(&microphone, &["--list-devices"]));
    assert!(output.status.success(), "{}", stderr(&output));
    let list = stdout(&output);
    assert!(list.contains("ting-speech  (Speech of a test)\n"), "{list}");
    assert!(
        list.contains("default  (The default of a test)\n"),
        "{list}"
    );
    assert!(!list.contains("null"), "{list}");

    let output = run(listen(&microphone, &["--device", "webcam"]));
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(
        said.contains("no microphone \"webcam\"") && said.contains(&list),
        "{said}"
    );
}

#[test]
fn without_a_microphone_it_says_so() {
    if !has_alsa() {
        return;
    }
    let microphone = VirtualMicrophone::hearing("hello_zh.wav");
    std::fs::write(microphone.config(), "pcm.null { type null }\n").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.srt");
    std::fs::write(&path, "of yesterday").unwrap();
    let output = run(listen(&microphone, &["--save", path.to_str().unwrap()]));
    assert_eq!(output.status.code(), Some(1));
    let said = stderr(&output);
    assert!(said.contains("ting: no sound from"), "{said}");
    assert!(
        said.contains("--list-devices") && said.contains("ting listen FILE"),
        "{said}"
    );
    assert_eq!(std::fs::read_to_string(path).unwrap(), "of yesterday");
}

#[cfg(all(target_os = "linux", not(feature = "microphone")))]
mod programs {
    use super::super::sound::program;
    use super::*;

    /// `ting listen` where only the programs of a folder are.
    fn listen(programs: &tempfile::TempDir, args: &[&str]) -> Output {
        let mut command = ting();
        command
            .arg("listen")
            .args(args)
            .env("PATH", programs.path())
            .stdin(Stdio::null());
        command.output().unwrap()
    }

    #[test]
    fn without_a_program_it_says_what_to_do() {
        let none = tempfile::tempdir().unwrap();
        for args in [&[][..], &["--list-devices"]] {
            let output = listen(&none, args);
            assert_eq!(output.status.code(), Some(1));
            let said = stderr(&output);
            for part in [
                "alsa-utils",
                "--features microphone",
                "libasound2-dev pkg-config",
                "`ting listen -`",
            ] {
                assert!(said.contains(part), "{said}");
            }
        }
    }

    #[test]
    fn a_program_that_fails_is_quoted() {
        let programs = program(
            "parecord",
            "echo 'Connection failure: Connection refused' >&2; exit 1",
        );
        let output = listen(&programs, &[]);
        assert_eq!(output.status.code(), Some(1));
        let said = stderr(&output);
        assert!(
            said.contains("parecord: Connection failure: Connection refused\n"),
            "{said}"
        );
    }

    #[test]
    fn a_program_that_ends_leaves_what_was_said() {
        let file = data("hello_zh.wav");
        let programs = program(
            "pw-record",
            &format!(
                "case \"$*\" in *--help*) echo '  -a, --raw'; exit;; esac\n\
             [ \"$*\" = '--rate=16000 --channels=1 --format=s16 --raw -' ] || {{ echo \"$*\" >&2; exit 2; }}\n\
             /usr/bin/tail -c +45 {file}\necho 'the device is gone' >&2\nexit 1"
            ),
        );
        let output = listen(&programs, &[]);
        assert_eq!(output.status.code(), Some(1), "{}", stderr(&output));
        assert_eq!(stdout(&output), transcribed("text", &file));
        assert!(
            stderr(&output).contains("pw-record ended: the device is gone"),
            "{}",
            stderr(&output)
        );
    }

    #[test]
    fn a_program_that_waits_is_ended() {
        let dir = tempfile::tempdir().unwrap();
        let alive = dir.path().join("alive");
        let programs = program(
            "parecord",
            &format!("echo $$ > {}; exec /usr/bin/sleep 100", alive.display()),
        );
        let mut command = ting();
        command.arg("listen").env("PATH", programs.path());
        command.stdin(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let id = loop {
            let id = std::fs::read_to_string(&alive).unwrap_or_default();
            if id.ends_with('\n') {
                break id.trim().to_owned();
            }
            std::thread::sleep(std::time::Duration::from_millis(20));
        };
        signal(&child, "-INT");
        assert!(!child.wait().unwrap().success());
        // What is ended and waited for is no process any more.
        let there = Command::new("kill")
            .args(["-0", &id])
            .stderr(Stdio::null())
            .status();
        assert!(!there.unwrap().success(), "{id} runs on");
    }

    #[test]
    fn the_next_program_is_tried() {
        let programs = program("pw-record", "echo 'no daemon' >&2; exit 1");
        let file = data("hello_zh.wav");
        let more = program("arecord", &format!("/usr/bin/tail -c +45 {file}"));
        std::fs::copy(more.path().join("arecord"), programs.path().join("arecord")).unwrap();
        let output = listen(&programs, &[]);
        assert_eq!(stdout(&output), transcribed("text", &file));
        assert!(
            stderr(&output).contains("arecord ended"),
            "{}",
            stderr(&output)
        );
    }
}
