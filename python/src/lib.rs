//! The native half of the Python package `ting`: runs `ting-client` for it.
//!
//! What a program sees is in `python/ting`; this is no more than what Python cannot do itself. It knows Python and `ting-client`.
//!
//! # Invariants
//! - Nothing waits with the GIL held. What a program's main thread waits for ends when a signal handler raises.
//! - No Python code is called: Python asks for the next result, in a thread that it made. So there is no lock order with the GIL.
//! - The JSON of results is read by Python: fields stay in their order, and numbers as they were.

mod convert;
mod requests;
mod task;

/// Shows the log on standard error where TING_LOG says what of it, as it does for the `ting` program; else there is none.
fn log() {
    if let Ok(filter) = tracing_subscriber::EnvFilter::try_from_env("TING_LOG") {
        let subscriber = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr);
        // Whoever was first keeps it.
        let _ = subscriber.try_init();
    }
}

/// The native half of the package `ting`. Not for programs: use `ting.audio.asr`.
#[pyo3::pymodule]
mod _ting {
    use pyo3::prelude::*;

    #[pymodule_export]
    use crate::requests::{configure_embedded, request};
    #[pymodule_export]
    use crate::task::Task;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        crate::log();
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
