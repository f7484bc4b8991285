//! `learn push`: an image to its registry.

use super::args::Push;
use super::pull::{Progress, show};
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, output};
use crate::client::image;

/// Pushes one tag, or all of them.
pub async fn push(context: &Context, args: Push) -> Result<(), Failure> {
    let reference = Reference::parse(&args.name).map_err(|error| Failure::Arguments(error.to_string()))?;
    if args.all_tags && !reference.is_bare() {
        return Err(Failure::Arguments("tag can't be used with --all-tags/-a".into()));
    }
    if reference.is_digested() {
        return Err(Failure::Arguments("cannot push a digest reference".into()));
    }
    if !args.all_tags && reference.is_bare() && !args.quiet {
        output::line("Using default tag: latest")?;
    }
    let tag = (!args.all_tags).then(|| reference.version());
    let credentials = image::credentials(reference.domain()).await?;
    let work = async {
        let lines = context.client.push_image(&reference.familiar_name(), tag, &credentials).await?;
        let progress = if args.quiet { Progress::Quiet } else { Progress::Stdout };
        show(lines, progress, context.session.is_some(), &Failure::from).await
    };
    tokio::select! {
        done = work => done?,
        interrupt = tokio::signal::ctrl_c() => {
            interrupt?;
            return Err(Failure::Interrupted);
        }
    }
    match (args.quiet, args.all_tags) {
        (true, true) => output::line(&reference.name()),
        (true, false) => output::line(&reference.full()),
        (false, _) => Ok(()),
    }
}
