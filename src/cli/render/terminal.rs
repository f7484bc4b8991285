//! The learner's terminal: its width, and one key at a time.
//!
//! While a key is awaited, line editing and echo are off; output processing stays on, so that
//! what a container or a pull prints meanwhile keeps its shape. The old settings come back on
//! every way out, a panic included.

use super::step::Key;
use nix::sys::termios::{self, LocalFlags, SetArg, SpecialCharacterIndices, Termios};
use std::io::{self, IsTerminal};
use std::sync::{Mutex, Once};

/// Narrowest and widest page; wider lines are hard to read.
const WIDTHS: (usize, usize) = (40, 100);

/// Columns of standard error: the terminal's, else `COLUMNS`, else 80.
pub fn stderr_width() -> usize {
    let terminal = rustix::termios::tcgetwinsize(io::stderr()).ok().map(|size| usize::from(size.ws_col));
    let setting = || std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    let columns = terminal.filter(|columns| *columns > 0).or_else(setting).unwrap_or(80);
    columns.clamp(WIDTHS.0, WIDTHS.1)
}

/// Whether single keys can be read; else the learner types a letter and Enter.
pub fn has_keys() -> bool {
    io::stdin().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb")
}

/// Where the learner's keys come from.
pub trait Keys: Send {
    /// Waits for one; the end of input is [`Key::Run`]: nobody is there to hold the work for.
    fn next(&mut self) -> io::Result<Key>;
}

/// Keys of the terminal on standard input, without Enter.
#[derive(Debug, Default)]
pub struct SingleKeys;

impl Keys for SingleKeys {
    fn next(&mut self) -> io::Result<Key> {
        let quiet = Quiet::enter()?;
        let mut bytes = [0; 8];
        // Past std's buffer, which would keep what was typed ahead.
        let count = nix::unistd::read(io::stdin(), &mut bytes)?;
        drop(quiet);
        Ok(if count == 0 { Key::Run } else { Key::from_bytes(&bytes[..count]) })
    }
}

/// Lines of any input: the first letter counts, an empty line is Enter.
#[derive(Debug)]
pub struct LineKeys<R>(pub R);

impl<R: io::BufRead + Send> Keys for LineKeys<R> {
    fn next(&mut self) -> io::Result<Key> {
        let mut line = String::new();
        Ok(match self.0.read_line(&mut line)? {
            0 => Key::Run,
            _ => Key::from_bytes(if line.trim().is_empty() { b"\n" } else { line.trim().as_bytes() }),
        })
    }
}

/// The settings to come back to, for the panic hook.
static BEFORE: Mutex<Option<Termios>> = Mutex::new(None);

/// While it lives, keys arrive one by one and unechoed.
struct Quiet;

impl Quiet {
    fn enter() -> io::Result<Quiet> {
        restore_on_panic();
        let before = termios::tcgetattr(io::stdin())?;
        let mut quiet = before.clone();
        // ISIG off: Ctrl-C arrives as a byte and means "abort", so that nothing ends the process
        // while the terminal is quiet. OPOST is left alone.
        quiet.local_flags.remove(LocalFlags::ICANON | LocalFlags::ECHO | LocalFlags::ISIG);
        quiet.control_chars[SpecialCharacterIndices::VMIN as usize] = 1;
        quiet.control_chars[SpecialCharacterIndices::VTIME as usize] = 0;
        *BEFORE.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(before);
        termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &quiet)?;
        Ok(Quiet)
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        restore();
    }
}

fn restore() {
    if let Some(before) = BEFORE.lock().unwrap_or_else(|poison| poison.into_inner()).take() {
        // Without a terminal there is nothing to restore.
        let _ = termios::tcsetattr(io::stdin(), SetArg::TCSADRAIN, &before);
    }
}

/// Release builds abort on panic, so `Drop` alone would not do.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let next = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            next(panic);
        }));
    });
}
