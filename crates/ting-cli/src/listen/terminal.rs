//! The terminal, or whatever standard output is.

use std::io::IsTerminal;

use super::screen::{CLEAR, Screen, Size};
use crate::error::CliError;
use crate::stdout;

/// Shows results: on a terminal partials as well, elsewhere finals only, a line each.
pub(crate) struct Display {
    screen: Option<Screen>,
}

impl Display {
    /// What standard output can do.
    pub(crate) fn new() -> Self {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let moves = variable("TERM").is_some_and(|term| term != "dumb");
        let terminal = std::io::stdout().is_terminal() && moves;
        Self {
            screen: terminal.then(|| Screen::new(variable("NO_COLOR").is_none())),
        }
    }

    /// Whether somebody looks at it as it changes.
    pub(crate) fn is_live(&self) -> bool {
        self.screen.is_some()
    }

    /// Shows what may still change; an empty text takes it away.
    pub(crate) fn live(&mut self, text: &str) -> Result<(), CliError> {
        match &mut self.screen {
            Some(screen) => stdout::print(&screen.live(text, size())),
            None => Ok(()),
        }
    }

    /// Forgets what may still change, because what stays comes in its place at once.
    pub(crate) fn clear(&mut self) {
        if let Some(screen) = &mut self.screen {
            screen.clear();
        }
    }

    /// Shows what stays.
    pub(crate) fn line(&mut self, text: &str) -> Result<(), CliError> {
        match &self.screen {
            Some(screen) => stdout::print(&screen.lines(text, size())),
            None => stdout::print(&format!("{}\n", text.trim())),
        }
    }

    /// Tells the user something, on standard error.
    pub(crate) fn note(&self, text: &str) {
        let Some(screen) = &self.screen else {
            eprintln!("{text}");
            return;
        };
        // Fails when nobody reads results any more, which the next result finds out.
        let _ = stdout::print(CLEAR);
        eprintln!("{text}");
        let _ = stdout::print(&screen.draw(size()));
    }

    /// Shows again what may still change, after the terminal got another size.
    pub(crate) fn redraw(&self) -> Result<(), CliError> {
        match &self.screen {
            Some(screen) => stdout::print(&screen.draw(size())),
            None => Ok(()),
        }
    }
}

/// The size of the terminal as it is now.
fn size() -> Size {
    let size = rustix::termios::tcgetwinsize(std::io::stdout());
    size.map_or(Size::new(0, 0), |size| {
        Size::new(size.ws_col.into(), size.ws_row.into())
    })
}
