//! `--cidfile`: the id in a file that must not be there before.

use super::files::go_error;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The file, made before the container. It goes again when no id is written.
pub struct CidFile {
    open: Option<(PathBuf, File)>,
}

impl CidFile {
    /// Makes the file; nothing when none was asked for.
    ///
    /// # Errors
    /// Docker's words.
    pub fn create(path: Option<&Path>) -> Result<CidFile, String> {
        let Some(path) = path.filter(|path| !path.as_os_str().is_empty()) else {
            return Ok(CidFile { open: None });
        };
        let shown = path.display();
        if path.exists() {
            return Err(format!(
                "container ID file found, make sure the other container isn't running or delete {shown}"
            ));
        }
        let file = File::create(path).map_err(|error| {
            format!("failed to create the container ID file: open {shown}: {}", go_error(&error))
        })?;
        Ok(CidFile { open: Some((path.to_owned(), file)) })
    }

    /// Writes the id.
    ///
    /// # Errors
    /// Docker's words.
    pub fn write(mut self, id: &str) -> Result<(), String> {
        match &mut self.open {
            None => Ok(()),
            Some((path, file)) => {
                file.write_all(id.as_bytes()).map_err(|error| {
                    let reason = go_error(&error);
                    format!(
                        "failed to write the container ID to the file: write {}: {reason}",
                        path.display()
                    )
                })?;
                self.open = None;
                Ok(())
            }
        }
    }
}

impl Drop for CidFile {
    fn drop(&mut self) {
        if let Some((path, _)) = &self.open {
            // Nobody waits for a file that cannot be removed either.
            let _ = std::fs::remove_file(path);
        }
    }
}
