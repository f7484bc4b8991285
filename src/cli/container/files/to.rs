//! Into a container.

use super::args::Copy;
use super::copy::{Place, absolute, done};
use super::local::{self, Piped};
use super::paths::{join, split};
use super::rebase::{Plan, plan};
use crate::cli::{Context, Failure};
use crate::client::files::Upload;

/// Copies `local`, or a tar from standard input, to `path` of `container`.
pub(super) async fn copy(
    context: &Context,
    copy: &Copy,
    local: &str,
    container: &str,
    path: &str,
) -> Result<(), Failure> {
    let from_stdin = local == "-";
    let source = if from_stdin { local.to_owned() } else { absolute(local)? };
    let mut target = Place { path: path.to_owned(), ..Place::default() };
    let mut stat = context.client.stat_path(container, path).await;
    if let Ok(link) = &stat
        && link.is_symlink()
    {
        target.path = match link.link_target.starts_with('/') {
            true => link.link_target.clone(),
            false => join(&split(path).0, &link.link_target),
        };
        stat = context.client.stat_path(container, &target.path).await;
    }
    if let Ok(stat) = &stat {
        if stat.is_device() {
            return Err(Failure::File(format!(
                "destination \"{container}:{path}\" must be a directory or a regular file: got a device"
            )));
        }
        (target.exists, target.is_directory) = (true, stat.is_directory());
    }
    let upload = |directory: String| Upload { directory, keep_sorts: true, as_user: copy.archive };
    if from_stdin {
        if !target.is_directory {
            return Err(Failure::File(format!("destination \"{container}:{path}\" must be a directory")));
        }
        let piped = Piped::from_stdin();
        let count = piped.count.clone();
        context.client.write_archive(container, &upload(target.path.clone()), piped.stream).await?;
        return done(
            copy.quiet,
            count.load(std::sync::atomic::Ordering::Relaxed),
            &format!("{container}:{}", target.path),
        );
    }
    let source = local::source(&source, copy.follow_link).map_err(Failure::File)?;
    let Plan { directory, rename } = plan(&source, &target).map_err(|why| Failure::File(why.into()))?;
    let piped = Piped::from_files(&source, rename)?;
    let (count, failed) = (piped.count.clone(), piped.failed.clone());
    let sent = context.client.write_archive(container, &upload(directory), piped.stream).await;
    if let Some(reason) = failed.lock().unwrap_or_else(|poison| poison.into_inner()).take() {
        // What could not be read here says more than what the daemon made of half an archive.
        return Err(Failure::File(reason));
    }
    sent?;
    done(
        copy.quiet,
        count.load(std::sync::atomic::Ordering::Relaxed),
        &format!("{container}:{}", target.path),
    )
}
