//! Out of a container.

use super::args::Copy;
use super::copy::{Place, absolute, done};
use super::local::{self, extract};
use super::paths::{join, rebase_name, split};
use super::rebase::{Plan, plan};
use super::save;
use crate::cli::{Context, Failure};
use std::io::{Seek, Write};

/// Copies `path` of `container` to `local`, or to standard output as a tar.
pub(super) async fn copy(
    context: &Context,
    copy: &Copy,
    container: &str,
    path: &str,
    local: &str,
) -> Result<(), Failure> {
    let to_stdout = local == "-";
    let destination = if to_stdout { local.to_owned() } else { absolute(local)? };
    local::check_output(&destination).map_err(Failure::File)?;
    let mut path = path.to_owned();
    let mut name = None;
    if copy.follow_link
        && let Ok(stat) = context.client.stat_path(container, &path).await
        && stat.is_symlink()
    {
        let target = match stat.link_target.starts_with('/') {
            true => stat.link_target,
            false => join(&split(&path).0, &stat.link_target),
        };
        (path, name) = rebase_name(&path, &target);
    }
    let (stat, download) = context.client.read_archive(container, &path).await?;
    if to_stdout {
        return save(download, &mut std::io::stdout().lock()).await;
    }
    let source = Place { path, exists: true, is_directory: stat.is_directory(), name };
    // What an archive's entries are called depends on both sides, and reading a tar takes a file.
    let mut file = tempfile::tempfile()?;
    save(download, &mut file).await?;
    file.flush()?;
    let bytes = file.stream_position()?;
    file.rewind()?;
    let target = local::destination(&destination).map_err(Failure::File)?;
    let Plan { directory, rename } = plan(&source, &target).map_err(|why| Failure::File(why.into()))?;
    extract(file, &directory, rename.as_ref()).map_err(Failure::File)?;
    done(copy.quiet, bytes, &destination)
}
