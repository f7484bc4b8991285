//! `learn save`: images as one tar.

use super::args::Save;
use crate::cli::{Context, Failure};
use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

/// Writes images to a file, or to standard output.
pub async fn save(context: &Context, args: Save) -> Result<(), Failure> {
    if args.output.is_none() && io::stdout().is_terminal() {
        let advice = "cowardly refusing to save to a terminal. Use the -o flag or redirect";
        return Err(Failure::Arguments(advice.into()));
    }
    if let Some(path) = &args.output {
        check(Path::new(path))?;
    }
    let mut pieces = context.client.save_images(&args.images).await?;
    let Some(path) = args.output else {
        let mut stdout = io::stdout().lock();
        while let Some(piece) = pieces.next_piece().await? {
            stdout.write_all(&piece)?;
        }
        return Ok(stdout.flush()?);
    };
    // Whoever looks at the file sees all of it or none.
    let path = Path::new(&path);
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let failed = |error: io::Error| Failure::File(format!("failed to save image: {error}"));
    let mut file = tempfile::Builder::new().prefix(".learn-save-").tempfile_in(directory).map_err(failed)?;
    while let Some(piece) = pieces.next_piece().await? {
        file.write_all(&piece).map_err(failed)?;
    }
    replace(file, path).map_err(failed)
}

/// A device or a pipe is written into; a file is replaced, and keeps its usual mode.
fn replace(mut file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if path.metadata().is_ok_and(|there| !there.is_file()) {
        use std::io::Seek;
        file.rewind()?;
        io::copy(file.as_file_mut(), &mut File::options().write(true).open(path)?)?;
        return Ok(());
    }
    file.as_file().set_permissions(std::fs::Permissions::from_mode(0o600))?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Docker's words for a place nothing can be written to.
fn check(path: &Path) -> Result<(), Failure> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let refuse = |reason: String| Failure::File(format!("failed to save image: {reason}"));
    if !parent.is_dir() {
        return Err(refuse(format!(
            "invalid output path: directory {:?} does not exist",
            parent.display().to_string()
        )));
    }
    if path.is_dir() {
        return Err(refuse(format!(
            "invalid output path: {:?} must be a regular file",
            path.display().to_string()
        )));
    }
    Ok(())
}
