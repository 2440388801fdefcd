//! `ting serve`: the server, from the command line.

use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use ting_engine::{Engine, EngineOptions};
use ting_server::{Server, ServerOptions, Timeout, Timeouts};
use ting_store::{Store, StoreError, usual_data_dir};
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::error::{CliError, CliErrorKind};
use crate::recognise::Model;

/// Serve the fun-asr-realtime WebSocket protocol
///
/// Stops on Ctrl+C and SIGTERM: tasks that were told to finish do so, the others fail with SystemError. A second Ctrl+C
/// stops at once. TING_LOG sets what is logged, such as TING_LOG=debug.
#[derive(Args, Debug)]
pub(crate) struct ServeArgs {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8000", value_parser = address)]
    listen: SocketAddr,
    /// Folder for what the server keeps, which is hotword lists, in the file ting.db [default: ting in $XDG_DATA_HOME, or
    /// in ~/.local/share; made when there is something to keep]
    #[arg(long, value_name = "DIR", env = "TING_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Fail tasks whose hotword list is not there or cannot be read; without this they go on without it, and the log says so
    #[arg(long)]
    strict_vocabulary: bool,
    /// Use the model of this folder instead of the one inside the program
    #[arg(long, value_name = "DIR")]
    model_dir: Option<PathBuf>,
    /// Threads that recognise [default: one per core]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Tasks at the same time; one more is refused [default: what the machine can do in time]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_sessions: Option<u32>,
    /// Let only clients in that have one of these keys; may be given several times, or divided by commas
    #[arg(
        long,
        value_name = "KEY",
        env = "TING_API_KEY",
        value_delimiter = ',',
        hide_env_values = true
    )]
    api_key: Vec<String>,
    /// How long the server waits for what; may be given several times
    #[arg(long, value_name = "NAME=SECONDS", value_parser = timeout, long_help = timeout_help())]
    timeout: Vec<(Timeout, Duration)>,
}

/// Runs the command until it is told to stop.
pub(crate) fn run(args: &ServeArgs) -> Result<ExitCode, CliError> {
    let store = open_store(args.data_dir.as_deref())?;
    let api_keys: Vec<String> = args
        .api_key
        .iter()
        .map(|key| key.trim().to_owned())
        .filter(|key| !key.is_empty())
        .collect();
    if api_keys.is_empty() && !args.api_key.is_empty() {
        // Serving everyone is the opposite of what was meant.
        return Err(CliError::input(
            "the API key is empty; give a key, or neither --api-key nor TING_API_KEY",
        ));
    }
    let timeouts = timeouts(&args.timeout)?;
    let model = Model::load(args.model_dir.as_deref())?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let threads = args.threads.map_or(cores, usize::from);
    let max_sessions = args.max_sessions.map(|max| max as usize);
    let engine = Engine::start(
        Arc::clone(&model.shared),
        EngineOptions {
            threads,
            max_sessions,
        },
    )
    .map_err(|error| CliError::new(CliErrorKind::Recognition, error.message()))?;
    let capacity = format!(
        "{threads} threads, at most {} tasks at once",
        engine.max_sessions()
    );

    let mut options = ServerOptions::default();
    options.listen = args.listen;
    let open_to_all = api_keys.is_empty() && !args.listen.ip().is_loopback();
    options.api_keys = api_keys;
    options.timeouts = timeouts;
    options.store = store;
    options.strict_vocabulary = args.strict_vocabulary;

    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| network(format!("cannot start the threads of the server: {error}")))?;
    runtime.block_on(async {
        // Listened to from here on, so that no signal is lost while the rest starts.
        let signals = Signals::new()?;
        let server = Server::bind(options, Arc::new(engine))
            .await
            .map_err(|error| network(error.to_string()))?;
        eprintln!("{}", banner(&server.url(), server.local_addr().ip(), &model.name, &capacity));
        if open_to_all {
            eprintln!("anyone who can reach this address may use it; --api-key KEY lets in only who has the key");
        }
        server.serve(signals.stop()).await.map_err(|error| network(error.to_string()))
    })?;
    Ok(ExitCode::SUCCESS)
}

fn network(message: String) -> CliError {
    CliError::new(CliErrorKind::Network, message)
}

/// What is served, and what a client must change to use it. `bench` reads the URL out of it.
fn banner(url: &str, listen: IpAddr, model: &str, capacity: &str) -> String {
    let version = env!("CARGO_PKG_VERSION");
    let elsewhere = match listen.is_unspecified() {
        true => "\n(from another machine, with this machine's address in place of the one shown)",
        false => "",
    };
    let http = url
        .replacen("ws", "http", 1)
        .replace(ting_protocol::INFERENCE_PATH, "/api/v1");
    format!(
        "ting {version} serves fun-asr-realtime, model {model}, {capacity}

in your program:     dashscope.base_websocket_api_url = '{url}'
or its environment:  DASHSCOPE_WEBSOCKET_BASE_URL={url}
for hotword lists:   dashscope.base_http_api_url = '{http}'{elsewhere}

Ctrl+C stops"
    )
}

/// The URL in a line of the banner.
pub(crate) fn url_in_banner(line: &str) -> Option<&str> {
    line.strip_prefix("in your program:")?.split('\'').nth(1)
}

/// Finds out now, not in the middle of a task, whether things can be kept.
///
/// In a folder that the user named they must be: serving without is not what was asked for. Without such a folder the server must
/// start wherever it is put, so that what is wrong with the usual one is only told.
fn open_store(named: Option<&Path>) -> Result<Option<Arc<Store>>, CliError> {
    if let Some(folder) = named {
        prepare_data_dir(folder)?;
        let store = Store::new(folder);
        let unusable = |error: StoreError| CliError::new(CliErrorKind::Output, error.to_string());
        store.check().map_err(unusable)?;
        return Ok(Some(Arc::new(store)));
    }
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let Some(folder) = usual_data_dir(variable("XDG_DATA_HOME"), variable("HOME")) else {
        tracing::warn!(
            "there is no home folder to keep hotword lists in, and requests about them will fail; \
             give a folder with --data-dir"
        );
        return Ok(None);
    };
    let store = Store::new(&folder);
    if let Err(error) = store.check() {
        tracing::warn!(%error, "hotword lists cannot be kept, and requests about them will fail");
    }
    Ok(Some(Arc::new(store)))
}

/// Makes the folder that the user named, and finds out whether files can be made in it.
fn prepare_data_dir(dir: &Path) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        CliError::output(&format!("to the data folder {}", dir.display()), &error)
    };
    // Only this user may read what is kept. A folder that is there keeps its permissions.
    let mut builder = std::fs::DirBuilder::new();
    builder
        .recursive(true)
        .mode(0o700)
        .create(dir)
        .map_err(failed)?;
    let probe = dir.join(".ting-probe");
    std::fs::write(&probe, "").map_err(failed)?;
    std::fs::remove_file(&probe).map_err(failed)
}

/// An address with its port; names such as `localhost` are looked up.
fn address(text: &str) -> Result<SocketAddr, String> {
    let wanted = "expected ADDRESS:PORT, such as 127.0.0.1:8000 or 0.0.0.0:8000";
    if !text.contains(':') {
        return Err(wanted.to_owned());
    }
    let mut found = text
        .to_socket_addrs()
        .map_err(|error| format!("{error}; {wanted}"))?;
    // The bare name of this machine often means IPv6 first, where clients that are told 127.0.0.1 do not look.
    let first = found.next();
    found
        .find(SocketAddr::is_ipv4)
        .filter(|_| first.is_none_or(|a| a.is_ipv6()))
        .or(first)
        .ok_or(wanted.to_owned())
}

/// `NAME=SECONDS`, seconds with or without a fraction.
fn timeout(text: &str) -> Result<(Timeout, Duration), String> {
    let (name, seconds) = text
        .split_once('=')
        .ok_or("expected NAME=SECONDS, such as silent-audio=300")?;
    let timeout = Timeout::named(name).ok_or_else(|| {
        let names = Timeout::ALL.map(|timeout| timeout.name).join(", ");
        format!("{name:?} is no timeout; it must be one of {names}")
    })?;
    let range = Timeout::SHORTEST.as_secs_f64()..=Timeout::LONGEST.as_secs_f64();
    match seconds.parse::<f64>() {
        Ok(seconds) if range.contains(&seconds) => Ok((timeout, Duration::from_secs_f64(seconds))),
        _ => Err(format!(
            "{name} is {seconds:?}; it must be {} to {} (seconds)",
            range.start(),
            range.end()
        )),
    }
}

fn timeout_help() -> String {
    let mut defaults = Timeouts::default();
    let mut help = "How long the server waits for what; may be given several times\n\n".to_owned();
    for timeout in Timeout::ALL {
        let seconds = timeout.of(&mut defaults).as_secs_f64();
        help += &format!(
            "{:<12} {} [default: {seconds}]\n",
            timeout.name, timeout.about
        );
    }
    help
}

fn timeouts(given: &[(Timeout, Duration)]) -> Result<Timeouts, CliError> {
    let mut timeouts = Timeouts::default();
    for (timeout, duration) in given {
        *timeout.of(&mut timeouts) = *duration;
    }
    if timeouts.peer_lost <= timeouts.ping {
        return Err(CliError::input(format!(
            "the timeout peer-lost is {} s; it must be longer than ping, {} s, or clients are dropped that only listen",
            timeouts.peer_lost.as_secs_f64(),
            timeouts.ping.as_secs_f64()
        )));
    }
    Ok(timeouts)
}

/// The signals that stop the server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> Result<Self, CliError> {
        let listen = |kind| {
            signal(kind).map_err(|error| network(format!("cannot listen for signals: {error}")))
        };
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }

    /// Ready on the first signal. On a second one the process exits, with the status of a shell for SIGINT.
    async fn stop(mut self) {
        self.next().await;
        eprintln!("stopping; Ctrl+C again stops at once");
        tokio::spawn(async move {
            self.next().await;
            std::process::exit(130);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{address, banner, timeout, timeout_help, timeouts, url_in_banner};
    use ting_server::Timeout;

    #[test]
    fn addresses() {
        for (text, expected) in [
            ("127.0.0.1:8000", Some("127.0.0.1:8000")),
            ("0.0.0.0:0", Some("0.0.0.0:0")),
            ("[::1]:8000", Some("[::1]:8000")),
            ("localhost:80", Some("127.0.0.1:80")),
            ("8000", None),
            ("127.0.0.1", None),
            ("127.0.0.1:70000", None),
            ("", None),
        ] {
            let got = address(text).ok().map(|address| address.to_string());
            assert_eq!(got.as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn timeouts_are_set_by_name() {
        let cases = [
            ("silent-audio=300", Ok(("silent-audio", 300.0))),
            ("heartbeat=0.25", Ok(("heartbeat", 0.25))),
            ("ping=86400", Ok(("ping", 86_400.0))),
            ("ping=86401", Err("0.05 to 86400")),
            ("ping=0", Err("0.05 to 86400")),
            ("ping=-1", Err("0.05 to 86400")),
            ("ping=NaN", Err("0.05 to 86400")),
            ("ping=20s", Err("ping is \"20s\"")),
            ("ping", Err("NAME=SECONDS")),
            ("pong=1", Err("idle-audio, silent-audio")),
        ];
        let mut failed = Vec::new();
        for (text, want) in cases {
            let got = timeout(text);
            let right = match (&got, want) {
                (Ok((timeout, duration)), Ok(want)) => {
                    (timeout.name, duration.as_secs_f64()) == want
                }
                (Err(error), Err(says)) => error.contains(says),
                _ => false,
            };
            if !right {
                failed.push(format!("{text}: {got:?}"));
            }
        }
        assert!(failed.is_empty(), "{}", failed.join("\n"));
        let set = timeouts(&[
            timeout("ping=5").unwrap(),
            timeout("peer-lost=5.5").unwrap(),
        ])
        .unwrap();
        assert_eq!(set.ping.as_millis(), 5000);
        assert_eq!(set.peer_lost.as_millis(), 5500);
        assert!(timeouts(&[timeout("peer-lost=20").unwrap()]).is_err());
        for timeout in Timeout::ALL {
            assert!(timeout_help().contains(timeout.name));
        }
    }

    #[test]
    fn the_banner_has_the_line_to_change() {
        let url = "ws://127.0.0.1:8000/api-ws/v1/inference";
        let local = banner(url, [127, 0, 0, 1].into(), "tiny", "2 threads");
        let line = format!("dashscope.base_websocket_api_url = '{url}'");
        assert!(local.contains(&line), "{local}");
        assert!(
            local.contains(&format!("DASHSCOPE_WEBSOCKET_BASE_URL={url}\n")),
            "{local}"
        );
        assert_eq!(
            local.lines().filter_map(url_in_banner).collect::<Vec<_>>(),
            [url]
        );
        let http = "dashscope.base_http_api_url = 'http://127.0.0.1:8000/api/v1'";
        assert!(local.contains(http), "{local}");
        assert!(!local.contains("another machine"));
        assert!(banner(url, [0, 0, 0, 0].into(), "tiny", "2 threads").contains("another machine"));
    }
}
