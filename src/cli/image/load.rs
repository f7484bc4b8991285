//! `learn load` and `learn import`: images out of files.

use super::args::{Import, Load};
use super::pull::{Progress, show};
use crate::cli::reference::Reference;
use crate::cli::{Context, Failure};
use crate::client::Upload;
use crate::client::image::Import as Request;
use bytes::Bytes;
use futures_util::StreamExt;
use std::fs::File;
use std::io::{self, IsTerminal, Read};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

/// Bytes read at once.
const STRETCH: usize = 256 * 1024;

/// Loads the images of an archive.
pub async fn load(context: &Context, args: Load) -> Result<(), Failure> {
    let archive = match &args.input {
        Some(path) => upload(open(path)?),
        None if io::stdin().is_terminal() => {
            return Err(Failure::Arguments("requested load from stdin, but stdin is empty".into()));
        }
        None => upload(io::stdin()),
    };
    let quiet = args.quiet || !io::stdout().is_terminal();
    let lines = context.client.load_images(archive, quiet, args.platform.as_deref()).await?;
    show(lines, Progress::Stdout, context.session.is_some(), &Failure::from).await
}

/// Makes an image of a tar of files.
pub async fn import(context: &Context, args: Import) -> Result<(), Failure> {
    if let Some(name) = &args.name {
        Reference::parse(name).map_err(|error| Failure::Arguments(error.to_string()))?;
    }
    let (source, tar) = match args.source.as_str() {
        "-" => ("-", Some(upload(io::stdin()))),
        url if url.starts_with("http://") || url.starts_with("https://") => (url, None),
        path => ("-", Some(upload(open(path)?))),
    };
    let request = Request {
        name: args.name.as_deref(),
        source,
        message: args.message.as_deref(),
        changes: &args.change,
        platform: args.platform.as_deref(),
    };
    let lines = context.client.import_image(&request, tar).await?;
    show(lines, Progress::Stdout, context.session.is_some(), &Failure::from).await
}

/// Go's words for a file that cannot be opened, as Docker's client prints them.
fn open(path: &str) -> Result<File, Failure> {
    let failed = |error: io::Error| {
        let reason = match error.kind() {
            io::ErrorKind::NotFound => "no such file or directory".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        Failure::File(format!("open {path}: {reason}"))
    };
    let file = File::open(path).map_err(failed)?;
    if file.metadata().map_err(failed)?.is_dir() {
        return Err(Failure::File(format!("read {path}: is a directory")));
    }
    Ok(file)
}

/// The bytes of a file or pipe, read on a thread of their own.
fn upload(mut from: impl Read + Send + 'static) -> Upload {
    let (sender, receiver) = mpsc::channel::<io::Result<Bytes>>(2);
    std::thread::spawn(move || {
        loop {
            let mut stretch = vec![0; STRETCH];
            let read = from.read(&mut stretch).map(|count| {
                stretch.truncate(count);
                Bytes::from(stretch)
            });
            let more = read.as_ref().is_ok_and(|bytes| !bytes.is_empty());
            let end = read.as_ref().is_ok_and(Bytes::is_empty);
            // Nobody takes any more: the request has ended.
            if end || sender.blocking_send(read).is_err() || !more {
                return;
            }
        }
    });
    ReceiverStream::new(receiver).boxed()
}
