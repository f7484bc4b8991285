//! `learn pull`, and the pull within `run` and `create`.

use super::args::Pull;
use super::progress::Display;
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure, output};
use crate::client::image::{self, Pull as Request};
use crate::client::{Error, JsonLines};
use crate::wire::JsonMessage;
use indicatif::ProgressDrawTarget;
use std::io::{self, IsTerminal};

/// How a layer's lines end.
const ENDS: [&str; 3] = ["Pull complete", "Pushed", "Layer already exists"];

/// Where progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// `pull`: it is the command's output.
    Stdout,
    /// `run` and `create`: standard output belongs to the program or the id.
    Stderr,
    /// `-q`.
    Quiet,
}

/// Pulls an image and prints its name in full.
pub async fn verb(context: &Context, args: Pull) -> Result<(), Failure> {
    let reference = Reference::parse(&args.name).map_err(|error| Failure::Arguments(error.to_string()))?;
    if args.all_tags && !reference.is_bare() {
        return Err(Failure::Arguments("tag can't be used with --all-tags/-a".into()));
    }
    if reference.is_bare() && !args.all_tags && !args.quiet {
        output::line("Using default tag: latest")?;
    }
    let progress = if args.quiet { Progress::Quiet } else { Progress::Stdout };
    let tag = (!args.all_tags).then(|| reference.version());
    fetch(context, &reference, tag, args.platform.as_deref(), progress, Failure::from).await?;
    output::line(&if args.all_tags { reference.name() } else { reference.full() })
}

/// Pulls an image. Ctrl-C closes the connection, which cancels the pull; what has arrived is
/// kept.
pub async fn pull(
    context: &Context,
    reference: &Reference,
    platform: Option<&str>,
    progress: Progress,
    failed: impl Fn(Error) -> Failure,
) -> Result<(), Failure> {
    fetch(context, reference, Some(reference.version()), platform, progress, failed).await
}

/// Pulls one tag or digest; without one all tags.
async fn fetch(
    context: &Context,
    reference: &Reference,
    tag: Option<&str>,
    platform: Option<&str>,
    progress: Progress,
    failed: impl Fn(Error) -> Failure,
) -> Result<(), Failure> {
    let name = reference.name();
    let work = async {
        let credentials = image::credentials(reference.domain()).await.map_err(&failed)?;
        let request =
            Request { name: &name, tag, platform, hub: context.hub.as_deref(), credentials: &credentials };
        let lines = context.client.pull_image(&request).await.map_err(&failed)?;
        show(lines, progress, context.session.is_some(), &failed).await
    };
    tokio::select! {
        done = work => done,
        interrupt = tokio::signal::ctrl_c() => match interrupt {
            Ok(()) => Err(Failure::Interrupted),
            Err(error) => Err(error.into()),
        },
    }
}

/// Shows what a pull, a push or a load says, until its end.
pub async fn show(
    mut lines: JsonLines<JsonMessage>,
    progress: Progress,
    told: bool,
    failed: &impl Fn(Error) -> Failure,
) -> Result<(), Failure> {
    let mut display = match progress {
        Progress::Quiet => Display::Quiet,
        // Bars move the cursor, and would overwrite the narration on the same screen.
        Progress::Stdout if !told && io::stdout().is_terminal() => {
            Display::bars(ProgressDrawTarget::stdout())
        }
        Progress::Stderr if !told && io::stderr().is_terminal() => {
            Display::bars(ProgressDrawTarget::stderr())
        }
        Progress::Stdout => Display::plain(Box::new(io::stdout())),
        Progress::Stderr => Display::plain(Box::new(io::stderr())),
    };
    while let Some(message) = lines.next_line().await.map_err(failed)? {
        if let Some(error) =
            message.error_detail.as_ref().map(|detail| &detail.message).or(message.error.as_ref())
        {
            let hint = message.error_detail.as_ref().and_then(|detail| detail.hint.as_deref());
            let hint = hint.and_then(|hint| hint.parse().ok());
            return Err(failed(Error::Stream { message: error.clone(), hint }));
        }
        if message.aux.is_some() {
            continue;
        }
        // The narration tells each layer's steps; on the same screen its end is enough.
        let step = message.id.is_some() && message.progress_detail.is_some();
        if told && step && !ENDS.contains(&message.status.as_deref().unwrap_or_default()) {
            continue;
        }
        display.show(&message)?;
    }
    Ok(())
}
