//! `ting serve` for the time of a test.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use super::ting;

/// A server that is killed with the test, and what it said up to its URL.
pub(crate) struct Serving {
    pub(crate) child: Child,
    pub(crate) said: BufReader<std::process::ChildStderr>,
    pub(crate) url: String,
    /// The lines up to the URL.
    pub(crate) before: String,
}

impl Serving {
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::spawn(ting(), args)
    }

    pub(crate) fn spawn(mut command: Command, args: &[&str]) -> Self {
        let mut child = command
            .args(["serve", "--listen", "127.0.0.1:0"])
            .args(args)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut lines = String::new();
        let url = loop {
            let start = lines.len();
            assert!(
                said.read_line(&mut lines).unwrap() > 0,
                "the server ended: {lines}"
            );
            if let Some((_, rest)) =
                lines[start..].split_once("dashscope.base_websocket_api_url = '")
            {
                break rest.split('\'').next().unwrap().to_owned();
            }
        };
        Self {
            child,
            said,
            url,
            before: lines,
        }
    }

    pub(crate) fn address(&self) -> &str {
        self.url
            .strip_prefix("ws://")
            .unwrap()
            .split('/')
            .next()
            .unwrap()
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
