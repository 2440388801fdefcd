//! A server of this very program as a child process, so that what it uses can be told from what the client uses.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use crate::error::{CliError, CliErrorKind};
use crate::machine::{Memory, memory_of};
use crate::serve::url_in_banner;

/// A server that does not listen after this will not.
const START: Duration = Duration::from_secs(60);

/// A running `ting serve`, which ends with this value.
pub(crate) struct ServerProcess {
    child: Child,
    /// Where it listens.
    pub(crate) url: String,
    /// From the start of the process until it listened, in seconds.
    pub(crate) start_seconds: f64,
}

impl ServerProcess {
    /// Starts a server on a free port of this machine and waits until it listens.
    pub(crate) fn start(model_dir: Option<&Path>) -> Result<Self, CliError> {
        let failed = |what: String| {
            CliError::new(
                CliErrorKind::Network,
                format!("cannot start a server to measure: {what}"),
            )
        };
        let program = std::env::current_exe().map_err(|error| failed(error.to_string()))?;
        let mut command = Command::new(program);
        command.args(["serve", "--listen", "127.0.0.1:0"]);
        if let Some(dir) = model_dir {
            command.arg("--model-dir").arg(dir);
        }
        // Keys of a server in daily use must not lock this client out.
        command.env_remove("TING_API_KEY");
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let started = Instant::now();
        let mut child = command.spawn().map_err(|error| failed(error.to_string()))?;
        let stderr = child.stderr.take();
        // Killed when dropped from here on, whatever happens.
        let mut server = Self {
            child,
            url: String::new(),
            start_seconds: 0.0,
        };

        let (sender, lines) = mpsc::channel();
        if let Some(stderr) = stderr {
            // Reads to the end: a full pipe would stop the server.
            std::thread::spawn(move || {
                for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                    // Nobody listens any more once the URL is known.
                    let _ = sender.send(line);
                }
            });
        }
        let mut said = Vec::new();
        loop {
            match lines.recv_timeout(START.saturating_sub(started.elapsed())) {
                Ok(line) => match url_in_banner(&line) {
                    Some(url) => {
                        server.start_seconds = started.elapsed().as_secs_f64();
                        url.clone_into(&mut server.url);
                        return Ok(server);
                    }
                    None => said.push(line),
                },
                Err(RecvTimeoutError::Timeout) => {
                    return Err(failed(format!(
                        "it did not listen within {} s",
                        START.as_secs()
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => return Err(failed(said.join("; "))),
            }
        }
    }

    /// What it uses now.
    pub(crate) fn memory(&self) -> Option<Memory> {
        memory_of(self.child.id())
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        // Fails only when it ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
