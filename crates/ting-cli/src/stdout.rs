//! Standard output, whose reader may go away at any time.

use std::io::Write;

use crate::error::CliError;

/// Writes `text` to standard output at once.
///
/// # Errors
/// `ClosedPipe` when nobody reads any more, where `print!` would panic; `Output` for anything else.
pub(crate) fn print(text: &str) -> Result<(), CliError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| CliError::output("standard output", &error))
}
