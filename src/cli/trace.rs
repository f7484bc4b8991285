//! `learn trace ls | show | export | replay`: finished traces, listed, told again, carried away.
//!
//! Where the traces come from is the client's affair; these functions take what it brings.

use super::render::{Depth, Narrator, Options};
use crate::text::{self, Lang};
use crate::trace::{Record, TraceInfo};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// The verbs.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum TraceCommand {
    /// List traces, newest first.
    Ls,
    /// Tell a trace again.
    Show {
        /// Trace id, the head of one, or `last`.
        #[arg(default_value = "last")]
        trace: String,
        /// How much to tell.
        #[arg(long, value_enum, default_value_t)]
        explain: Depth,
        /// Print the records as JSON lines.
        #[arg(long, conflicts_with = "explain")]
        json: bool,
    },
    /// Write a trace to a file that `replay` reads anywhere.
    Export {
        /// Trace id, the head of one, or `last`.
        trace: String,
        /// File to make; an existing one is not overwritten.
        file: PathBuf,
    },
    /// Tell an exported trace; needs no daemon.
    Replay {
        /// The file.
        file: PathBuf,
        /// How much to tell.
        #[arg(long, value_enum, default_value_t)]
        explain: Depth,
    },
}

/// Prints the list.
///
/// # Errors
/// When `out` cannot be written to.
pub fn list(lang: Lang, infos: &[TraceInfo], out: &mut dyn Write) -> io::Result<()> {
    if infos.is_empty() {
        return writeln!(out, "{}", text::ui(lang, "trace.none", &[]));
    }
    let head = |key: &str| text::ui(lang, key, &[]);
    let badge = text::ui(lang, "label.simulated", &[]);
    let mut rows = vec![[head("trace.header-id"), head("trace.header-began"), head("trace.header-title")]];
    for info in infos {
        let began = info.began.split('.').next().unwrap_or_default().replace('T', " ");
        let title = if info.simulated { format!("{badge} {}", info.title) } else { info.title.clone() };
        rows.push([info.id.clone(), began, title]);
    }
    let columns = |index: usize| rows.iter().map(|row| text::width(&row[index])).max().unwrap_or(0);
    let (first, second) = (columns(0), columns(1));
    for [id, began, title] in &rows {
        writeln!(out, "{}   {}   {title}", text::pad(id, first), text::pad(began, second))?;
    }
    Ok(())
}

/// Tells a trace.
pub fn show(
    options: Options,
    info: &TraceInfo,
    records: impl IntoIterator<Item = Record>,
    out: Box<dyn Write + Send>,
) {
    let mut narrator = Narrator::new(Options { simulated: info.simulated, ..options }, out);
    for record in records {
        narrator.record(&record);
    }
    narrator.finish();
}

/// Prints a trace as the lines it is stored as.
///
/// # Errors
/// When `out` cannot be written to.
pub fn json(
    info: &TraceInfo,
    records: impl IntoIterator<Item = Record>,
    out: &mut dyn Write,
) -> io::Result<()> {
    writeln!(out, "{}", serde_json::to_string(info)?)?;
    for record in records {
        writeln!(out, "{}", serde_json::to_string(&record)?)?;
    }
    Ok(())
}

/// Writes a trace to a new file.
///
/// # Errors
/// When the file exists or cannot be written.
pub fn export(info: &TraceInfo, records: impl IntoIterator<Item = Record>, path: &Path) -> io::Result<()> {
    let mut file = io::BufWriter::new(std::fs::File::create_new(path)?);
    json(info, records, &mut file)?;
    file.flush()
}
