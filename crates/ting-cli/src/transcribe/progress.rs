//! A progress bar on stderr for work that takes long, and only on a terminal.

use std::io::{self, Read};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{input, lock};

/// Work that is done before this shows no bar: it would only flicker.
const QUIET: Duration = Duration::from_millis(700);

/// The progress over all files, in bytes read.
pub(crate) struct Progress {
    bar: ProgressBar,
    /// When to show the bar; `None` once it is shown.
    show_at: Mutex<Option<Instant>>,
}

impl Progress {
    /// For reading all of `files`. When one has no length (a pipe), there is a spinner instead of a bar.
    pub(crate) fn new(files: &[String]) -> Self {
        let sizes: Vec<u64> = files.iter().map(|name| input::size(name)).collect();
        // What cannot be opened has no length either, but is over at once.
        let endless = files.iter().any(|name| name == "-");
        let (bar, template) = if endless {
            (
                ProgressBar::no_length(),
                "{spinner} {bytes} read, {elapsed}",
            )
        } else {
            let template = "{wide_bar} {percent:>3} % of {total_bytes}, {eta} left";
            (ProgressBar::new(sizes.iter().sum()), template)
        };
        bar.set_draw_target(ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style);
        }
        Self {
            bar,
            show_at: Mutex::new(Some(Instant::now() + QUIET)),
        }
    }

    /// Counts bytes as read.
    fn advance(&self, bytes: u64) {
        let mut show_at = lock(&self.show_at);
        if show_at.is_some_and(|at| Instant::now() >= at) {
            *show_at = None;
            // Draws nothing when stderr is not a terminal.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        drop(show_at);
        self.bar.inc(bytes);
    }

    /// Runs `print` while the bar is off the screen.
    pub(crate) fn suspend<T>(&self, print: impl FnOnce() -> T) -> T {
        self.bar.suspend(print)
    }

    /// Takes the bar off the screen.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A reader that reports what is read.
pub(crate) struct Counted<'a, R> {
    inner: R,
    progress: &'a Progress,
}

impl<'a, R> Counted<'a, R> {
    /// Reports reads of `inner` to `progress`.
    pub(crate) fn new(inner: R, progress: &'a Progress) -> Self {
        Self { inner, progress }
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.progress.advance(length as u64);
        Ok(length)
    }
}
