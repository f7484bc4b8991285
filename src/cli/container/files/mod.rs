//! `cp`, `diff`, `export`, `commit`: a container's files from outside.

pub mod args;
pub mod commit;
mod copy;
mod from;
mod local;
mod paths;
mod rebase;
mod to;

pub use copy::copy;

use crate::cli::{Context, Failure, output};
use crate::client::files::Download;
use args::{Diff, Export};
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Lists what a container changed.
pub async fn diff(context: &Context, diff: Diff) -> Result<(), Failure> {
    let changes = context.client.container_changes(&diff.container).await?;
    let letter = |kind| match kind {
        0 => 'C',
        1 => 'A',
        _ => 'D',
    };
    let lines = changes.iter().map(|change| format!("{} {}\n", letter(change.kind), change.path));
    output::text(&lines.collect::<String>())
}

/// Writes a container's whole file tree as a tar.
pub async fn export(context: &Context, export: Export) -> Result<(), Failure> {
    let Some(path) = export.output.as_deref().filter(|path| !path.is_empty()) else {
        if io::stdout().is_terminal() {
            let refusal = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
            return Err(Failure::File(refusal.into()));
        }
        let download = context.client.export_container(&export.container).await?;
        return save(download, &mut io::stdout().lock()).await;
    };
    let at = Path::new(path);
    let parent = at.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    local::check_output(path)
        .map_err(|error| Failure::File(format!("failed to export container: {error}")))?;
    let failed = |error: io::Error| Failure::File(format!("write {path}: {error}"));
    let download = context.client.export_container(&export.container).await?;
    // Half an archive never has the name of a whole one.
    let mut file = tempfile::NamedTempFile::new_in(parent).map_err(failed)?;
    save(download, &mut file).await?;
    file.persist(at).map_err(|error| failed(error.error))?;
    Ok(())
}

/// Writes a stream to its end; gives its length.
async fn save(mut download: Download, output: &mut impl Write) -> Result<(), Failure> {
    while let Some(piece) = download.next_piece().await? {
        output.write_all(&piece)?;
    }
    Ok(output.flush()?)
}
