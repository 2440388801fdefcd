//! The server inside the program: Ting's engine with its embedded model, behind pipes in memory.
//!
//! [`connect`] gives a connection on which the server speaks HTTP and WebSocket exactly as `ting serve` does on a socket: the
//! same parameters, errors, limits and events, and the hotword lists of the same folder. It starts on the first connection,
//! on threads of its own that do not keep the process alive, and there is one in a process. [`configure`] says how, before that.
//!
//! # Architecture invariants
//! - The only crate where what clients need and the server's code meet. It knows how to start the server, and nothing of the wire.
//! - Nothing starts before it is used.

use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ting_engine::{Engine, EngineOptions};
use ting_models::Model;
use ting_server::{Pipe, Server, ServerOptions};
use ting_store::{Store, usual_data_dir};
use tokio::io::DuplexStream;
use tokio::sync::watch;

/// How the server inside the program is made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Options {
    /// A folder with another model than the one compiled in.
    pub model_dir: Option<PathBuf>,
    /// Threads that recognise; one per core if not set.
    pub threads: Option<usize>,
    /// Tasks at the same time, of which one more is refused; what the machine can do in time if not set.
    pub max_sessions: Option<usize>,
    /// The folder of hotword lists. If not set it is `TING_DATA_DIR`, and without that where `ting serve` has it.
    pub data_dir: Option<PathBuf>,
    /// Whether a task fails whose hotword list is not there or cannot be read; otherwise it goes on without.
    pub strict_vocabulary: bool,
}

static STATE: Mutex<State> = Mutex::new(State {
    options: None,
    server: None,
});

struct State {
    options: Option<Options>,
    /// The server, and the process that it belongs to: a child made by `fork` has none of its threads.
    server: Option<(u32, Starting)>,
}

impl State {
    /// The server of this process, if it runs or starts.
    fn running(&self) -> Option<&Starting> {
        let (owner, starting) = self.server.as_ref()?;
        // Its thread has the sender for as long as it lives.
        let lives = starting.has_changed().is_ok();
        let is_usable = lives && !matches!(&*starting.borrow(), Some(Err(_)));
        (*owner == std::process::id() && is_usable).then_some(starting)
    }
}

/// Empty as long as the server starts.
type Starting = watch::Receiver<Option<Result<Pipe, StartError>>>;

fn lock() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says how the server is to be made. Options that were said before are replaced.
///
/// # Errors
/// When the server has started already, unless the options are the ones it was started with.
pub fn configure(options: Options) -> Result<(), StartError> {
    let mut state = lock();
    if state.running().is_some() && state.options.clone().unwrap_or_default() != options {
        return Err(StartError::new(
            "the recogniser inside the program has started with other options; configure it before its first use",
        ));
    }
    state.options = Some(options);
    Ok(())
}

/// A connection to the server inside the program, which is started if it does not run. That takes a second or so, of which no
/// thread of the caller is held.
///
/// # Errors
/// When the server cannot be started, and why; the next call tries again.
pub async fn connect() -> io::Result<DuplexStream> {
    let mut starting = starting();
    let started = match starting.wait_for(Option::is_some).await {
        Ok(started) => (*started).clone(),
        // The thread ended without a word.
        Err(_) => None,
    };
    let crashed = || Err(StartError::new("it crashed at its start"));
    let pipe = started.unwrap_or_else(crashed).map_err(io::Error::other)?;
    pipe.connect().await
}

/// The server of this process, which is started if there is none.
fn starting() -> Starting {
    let mut state = lock();
    if let Some(starting) = state.running() {
        return starting.clone();
    }
    let options = state.options.clone().unwrap_or_default();
    let (sender, receiver) = watch::channel(None);
    let failed = sender.clone();
    let thread = std::thread::Builder::new().name("ting-embedded".to_owned());
    if let Err(error) = thread.spawn(move || serve(&options, &sender)) {
        let error = StartError::new(format!("cannot start a thread: {error}"));
        failed.send_replace(Some(Err(error)));
    }
    state.server = Some((std::process::id(), receiver.clone()));
    receiver
}

/// Starts the server, tells it, and serves for as long as the process lives.
fn serve(options: &Options, started: &watch::Sender<Option<Result<Pipe, StartError>>>) {
    let (server, pipe, runtime) = match start(options) {
        Ok(started) => started,
        Err(error) => {
            started.send_replace(Some(Err(error)));
            return;
        }
    };
    started.send_replace(Some(Ok(pipe)));
    if let Err(error) = runtime.block_on(server.serve(std::future::pending())) {
        tracing::error!(%error, "the recogniser inside the program ended");
    }
}

fn start(
    options: &Options,
) -> Result<(ting_server::InProcess, Pipe, tokio::runtime::Runtime), StartError> {
    let model = match &options.model_dir {
        None => Model::embedded(),
        Some(folder) => Model::from_dir(folder),
    };
    let model = model.map_err(|error| {
        let name = options.model_dir.as_ref().map_or_else(
            || "inside the program".to_owned(),
            |folder| folder.display().to_string(),
        );
        StartError::new(format!("cannot load the model {name}: {error}"))
    })?;
    let engine = Engine::start(
        model,
        EngineOptions {
            threads: options.threads.unwrap_or(0),
            max_sessions: options.max_sessions,
        },
    )
    .map_err(|error| StartError::new(error.message()))?;
    let sessions = engine.max_sessions();
    tracing::debug!(sessions, "the recogniser inside the program has started");
    let mut server_options = ServerOptions::default();
    server_options.store = store(options);
    server_options.strict_vocabulary = options.strict_vocabulary;
    let (server, pipe) = Server::in_process(server_options, Arc::new(engine));
    // It moves bytes between pipes and queues; recognition has threads of its own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("ting-embedded")
        .enable_all()
        .build()
        .map_err(|error| StartError::new(format!("cannot start its threads: {error}")))?;
    Ok((server, pipe, runtime))
}

/// Where hotword lists are. Recognition does without them; requests about them tell what is wrong.
fn store(options: &Options) -> Option<Arc<Store>> {
    let variable = |name| {
        let value = std::env::var_os(name).map(PathBuf::from);
        value.filter(|value| !value.as_os_str().is_empty())
    };
    let folder = options
        .data_dir
        .clone()
        .or_else(|| variable("TING_DATA_DIR"))
        .or_else(|| usual_data_dir(variable("XDG_DATA_HOME"), variable("HOME")))?;
    let store = Store::new(&folder);
    if let Err(error) = store.check() {
        tracing::warn!(%error, "hotword lists cannot be kept, and requests about them will fail");
    }
    Some(Arc::new(store))
}

/// Why the server inside the program does not run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartError(String);

impl StartError {
    fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for StartError {}
