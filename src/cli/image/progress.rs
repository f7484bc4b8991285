//! A pull's progress in Docker's look: on a terminal one line a layer, redrawn in place;
//! elsewhere a line for each change of state, without the bars.

use crate::cli::format::size;
use crate::wire::{JsonMessage, ProgressDetail};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write};

/// Characters of a bar.
const BAR: u64 = 50;

/// Columns beyond which there is room for one.
const WIDE: u16 = 110;

/// Where messages go.
pub enum Display {
    /// Nowhere.
    Quiet,
    /// To a pipe or file.
    Plain(Box<dyn Write + Send>),
    /// To a terminal.
    Bars {
        /// All lines.
        all: MultiProgress,
        /// One line an id.
        lines: HashMap<String, ProgressBar>,
    },
}

impl Display {
    /// Lines as they come.
    pub fn plain(out: Box<dyn Write + Send>) -> Display {
        Display::Plain(out)
    }

    /// Lines redrawn in place.
    pub fn bars(target: ProgressDrawTarget) -> Display {
        Display::Bars { all: MultiProgress::with_draw_target(target), lines: HashMap::new() }
    }

    /// Shows one message.
    ///
    /// # Errors
    /// When the output cannot be written.
    pub fn show(&mut self, message: &JsonMessage) -> io::Result<()> {
        match self {
            Display::Quiet => Ok(()),
            Display::Plain(out) if message.stream.is_some() => {
                out.write_all(message.stream.as_deref().unwrap_or_default().as_bytes())
            }
            Display::Bars { all, .. } if message.stream.is_some() => {
                all.println(message.stream.as_deref().unwrap_or_default().trim_end())
            }
            Display::Plain(out) => match plain(message) {
                Some(line) => writeln!(out, "{line}"),
                None => Ok(()),
            },
            Display::Bars { all, lines } => {
                let text = terminal(message, columns());
                match &message.id {
                    Some(id) if message.progress_detail.is_some() => {
                        let line = lines.entry(id.clone()).or_insert_with(|| {
                            let style = ProgressStyle::with_template("{msg}");
                            let bar = all.add(ProgressBar::new_spinner());
                            style.into_iter().for_each(|style| bar.set_style(style));
                            bar
                        });
                        line.set_message(text);
                        line.tick();
                        Ok(())
                    }
                    _ => all.println(text),
                }
            }
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Display::Bars { lines, .. } = self {
            // The last state of each line stays on the screen.
            lines.values().for_each(ProgressBar::abandon);
        }
    }
}

/// Without a terminal, what only moves a bar is not shown.
fn plain(message: &JsonMessage) -> Option<String> {
    let moves = message.progress_detail.is_some_and(|detail| detail.current > 0 || detail.total > 0);
    (!moves).then(|| about(message))
}

fn terminal(message: &JsonMessage, columns: u16) -> String {
    let bar = message.progress_detail.map(|detail| bar(detail, columns)).unwrap_or_default();
    format!("{} {bar}", about(message)).trim_end().to_owned()
}

/// Columns of the terminal progress is shown on.
fn columns() -> u16 {
    let size =
        rustix::termios::tcgetwinsize(io::stderr()).or_else(|_| rustix::termios::tcgetwinsize(io::stdout()));
    size.map_or(80, |size| size.ws_col)
}

fn about(message: &JsonMessage) -> String {
    let status = message.status.as_deref().unwrap_or_default();
    match &message.id {
        Some(id) => format!("{id}: {status}"),
        None => status.to_owned(),
    }
}

/// `[=======>      ]  1.234MB/5.678MB`; without a total just the number, and on a narrow terminal
/// no bar, as Docker draws it.
fn bar(detail: ProgressDetail, columns: u16) -> String {
    let shown = |bytes: u64| size::long(i64::try_from(bytes).unwrap_or(i64::MAX));
    let ProgressDetail { current, total } = detail;
    if total == 0 {
        return if current == 0 { String::new() } else { format!("{:>8}", shown(current)) };
    }
    let mut text = String::new();
    if columns > WIDE {
        let done = current.min(total).saturating_mul(BAR) / total;
        text.push('[');
        text.extend((0..done).map(|_| '='));
        text.push('>');
        text.extend((done..BAR).map(|_| ' '));
        text.push_str("] ");
    }
    let _ = write!(text, "{:>8}/{}", shown(current), shown(total));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_is_fifty_wide_and_names_both_sizes() {
        let half = bar(ProgressDetail { current: 1_000_000, total: 2_000_000 }, 120);
        assert_eq!(half, format!("[{}>{}]      1MB/2MB", "=".repeat(25), " ".repeat(25)));
        let narrow = bar(ProgressDetail { current: 2, total: 2 }, 80);
        assert_eq!(narrow, "      2B/2B");
        assert_eq!(bar(ProgressDetail { current: 1500, total: 0 }, 80), "   1.5kB");
    }

    #[test]
    fn a_pipe_sees_states_and_no_bars() {
        let mut out = Vec::new();
        for message in [
            JsonMessage::about("latest", "Pulling from library/alpine"),
            JsonMessage::progress("0123456789ab", "Downloading", 5, 10),
            JsonMessage {
                progress_detail: Some(ProgressDetail::default()),
                ..JsonMessage::about("0123456789ab", "Pull complete")
            },
            JsonMessage::status("Digest: sha256:00"),
        ] {
            if let Some(line) = plain(&message) {
                out.push(line);
            }
        }
        let lines =
            ["latest: Pulling from library/alpine", "0123456789ab: Pull complete", "Digest: sha256:00"];
        assert_eq!(out, lines);
    }
}
