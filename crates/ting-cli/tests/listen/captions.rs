//! What is on the screen, through a pseudo-terminal.

use std::fs::File;
use std::io::Read;
use std::process::Stdio;

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::common::{data, ting};
use crate::emulator::Terminal;
use crate::transcribed;

const COLUMNS: u16 = 24;
const ROWS: u16 = 12;

/// What `ting listen` sends to a terminal.
fn on_a_terminal(args: &[&str], term: &str) -> String {
    let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&master).unwrap();
    unlockpt(&master).unwrap();
    let name = ptsname(&master, Vec::new()).unwrap();
    let slave = File::options()
        .read(true)
        .write(true)
        .open(name.to_str().unwrap())
        .unwrap();
    let size = Winsize {
        ws_row: ROWS,
        ws_col: COLUMNS,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    tcsetwinsize(&master, size).unwrap();
    let mut child = ting()
        .arg("listen")
        .args(args)
        .env("TERM", term)
        .env_remove("NO_COLOR")
        .stdin(Stdio::null())
        .stdout(slave.try_clone().unwrap())
        .stderr(slave)
        .spawn()
        .unwrap();
    let mut master = File::from(master);
    let mut bytes = Vec::new();
    let mut piece = [0; 4096];
    // An error says that the last one who had it open is gone.
    while let Ok(length @ 1..) = master.read(&mut piece) {
        bytes.extend_from_slice(&piece[..length]);
    }
    assert!(child.wait().unwrap().success());
    String::from_utf8(bytes).unwrap()
}

/// A text as the terminal cuts it into rows.
fn rows(text: &str) -> Vec<String> {
    let mut terminal = Terminal::new(COLUMNS.into(), 1000);
    terminal.write(&text.replace('\n', "\r\n"));
    terminal.text()
}

#[test]
fn partials_are_rewritten_in_place_and_finals_stay() {
    let file = data("hello_zh.wav");
    let sent = on_a_terminal(&[&file], "xterm");
    let finals = transcribed("text", &file);
    let head = format!("listening to {file}; Ctrl+C ends\n");
    let mut terminal = Terminal::new(COLUMNS.into(), ROWS.into());
    let mut seen = Vec::new();
    // Every frame ends with its return to the start of what may still change.
    for frame in sent.split_inclusive("\x1b[J") {
        terminal.write(frame);
        let now = terminal.everything();
        if seen.last() != Some(&now) {
            seen.push(now);
        }
    }
    assert_eq!(terminal.everything(), rows(&format!("{head}{finals}")));
    let most = rows(&format!("{head}{finals}")).len() + usize::from(ROWS);
    assert!(seen.iter().all(|rows| rows.len() < most), "{seen:#?}");
    let head = rows(&head);
    let partials = seen
        .iter()
        .filter(|rows| rows.len() > head.len() && rows[..head.len()] == head);
    assert!(partials.count() > 4, "{seen:#?}");
    assert!(sent.contains("\x1b[2m今"), "{sent:?}");
}

#[test]
fn a_terminal_that_cannot_move_gets_lines() {
    let file = data("hello_zh.wav");
    let sent = on_a_terminal(&["--fast", &file], "dumb");
    assert_eq!(sent.replace("\r\n", "\n"), transcribed("text", &file));
}
