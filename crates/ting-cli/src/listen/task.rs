//! stub
use super::*;
pub(crate) fn run(
    args: &ListenArgs,
    _hotwords: Vec<ting_engine::Hotword>,
) -> Result<ExitCode, CliError> {
    let _ = open(args)?;
    todo!()
}
