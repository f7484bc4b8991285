//! `learn cp`: which way, and what both ways share.

use super::args::Copy;
use super::paths::{keep_end, split_argument};
use super::{from, to};
use crate::cli::format::size;
use crate::cli::{Context, Failure, output};

/// One side of a copy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// As it is to be used: links followed where that was wanted.
    pub path: String,
    /// Something is there.
    pub exists: bool,
    /// It is a directory.
    pub is_directory: bool,
    /// What the copy is to be called where the path's own name is not it.
    pub name: Option<String>,
}

/// Copies files out of a container or into one.
pub async fn copy(context: &Context, copy: Copy) -> Result<(), Failure> {
    for (word, given) in [("source", &copy.source), ("destination", &copy.destination)] {
        if given.is_empty() {
            return Err(Failure::File(format!("{word} can not be empty")));
        }
    }
    let (source, destination) = (split_argument(&copy.source), split_argument(&copy.destination));
    match (source, destination) {
        ((Some(container), path), (None, local)) => from::copy(context, &copy, container, path, local).await,
        ((None, local), (Some(container), path)) => to::copy(context, &copy, local, container, path).await,
        ((Some(_), _), (Some(_), _)) => {
            Err(Failure::File("copying between containers is not supported".into()))
        }
        _ => Err(Failure::File("must specify at least one container source".into())),
    }
}

/// An absolute path with what its original had at the end.
pub(super) fn absolute(path: &str) -> Result<String, Failure> {
    let here = std::env::current_dir()?;
    let whole = super::paths::join(&here.to_string_lossy(), path);
    let whole = if path.starts_with('/') { super::paths::clean(path) } else { whole };
    Ok(keep_end(&whole, path))
}

/// Docker's last line, on standard error.
pub(super) fn done(quiet: bool, bytes: u64, to: &str) -> Result<(), Failure> {
    if quiet {
        return Ok(());
    }
    let size = size::short(i64::try_from(bytes).unwrap_or(i64::MAX));
    output::error_line(&format!("Successfully copied {size} to {to}"))
}
