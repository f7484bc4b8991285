//! `docker logs`: what was kept of the output, so far and as it grows.

use super::{Engine, Error};
use crate::container::log::{self, Filter, Reader, Rendered};
use crate::runtime::log_format::LogFormat;
use bytes::{BufMut, Bytes, BytesMut};
use rustix::fs::inotify;
use std::io;
use tokio::net::unix::pipe;
use tokio::sync::{mpsc, watch};

use super::containers::Progress;

/// Pieces (one read of the file each) a slow client may lag behind before the reader waits for it.
const QUEUE: usize = 4;

/// What is asked of a log.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Which lines, and how they look.
    pub filter: Filter,
    /// The last so many; `None` for all.
    pub tail: Option<usize>,
    /// Go on until the program ends.
    pub follow: bool,
}

impl Engine {
    /// Reads a container's log; the stream ends when all is said, or nobody listens.
    ///
    /// # Errors
    /// No such container; the log cannot be read.
    pub fn logs(
        &self,
        wanted: &str,
        mut options: LogOptions,
    ) -> Result<mpsc::Receiver<io::Result<Bytes>>, Error> {
        let container = self.containers.find(wanted)?;
        options.filter.frames = !container.record().config.tty;
        let directory = self.places.container(&container.id);
        let plan = log::plan(&container.record(), &directory).ok_or(Error::LogUnreadable)?;
        let (sender, receiver) = mpsc::channel(QUEUE);
        let progress = options.follow.then(|| container.watch());
        let broken = |error: io::Error| Error::Read { path: plan.path.clone(), reason: error.to_string() };
        // The watch begins before the first read: no line falls in between.
        let growth = options.follow.then(|| Growth::of(&directory)).transpose().map_err(broken)?;
        // Never started: there is no log yet.
        let reader = Reader::open(&plan.path, plan.format, options.tail).map_err(broken)?;
        let work = Reading { path: plan.path, format: plan.format, reader, filter: options.filter, sender };
        tokio::spawn(async move {
            let sender = work.sender.clone();
            if let Err(error) = work.run(growth, progress).await {
                // Nobody listening is an end, too.
                let _ = sender.send(Err(error)).await;
            }
        });
        Ok(receiver)
    }
}

/// One client's reading of one log.
struct Reading {
    path: String,
    format: LogFormat,
    reader: Option<Reader>,
    filter: Filter,
    sender: mpsc::Sender<io::Result<Bytes>>,
}

impl Reading {
    async fn run(
        mut self,
        growth: Option<Growth>,
        progress: Option<watch::Receiver<Progress>>,
    ) -> io::Result<()> {
        let (Some(growth), Some(mut progress)) = (growth, progress) else {
            self.rest().await?;
            return Ok(());
        };
        let exits = progress.borrow().exits;
        loop {
            // Asked before reading: what was written before the end is still read. A restart by
            // policy is an end, too.
            let over = {
                let now = progress.borrow_and_update();
                !now.running || now.exits > exits
            };
            if !self.rest().await? || over {
                return Ok(());
            }
            tokio::select! {
                grown = growth.happened() => grown?,
                changed = progress.changed() => if changed.is_err() { return Ok(()) },
                () = self.sender.closed() => return Ok(()),
            }
        }
    }

    /// Sends what is there; `false` when nobody listens any more, or nothing more is wanted.
    async fn rest(&mut self) -> io::Result<bool> {
        if self.reader.is_none() {
            self.reader = Reader::open(&self.path, self.format, None)?;
        }
        let Some(reader) = &mut self.reader else { return Ok(true) };
        while let Some(entries) = reader.entries()? {
            // All frames of one read travel together: a write for each line would cost more than
            // everything else.
            let mut piece = BytesMut::new();
            let mut over = false;
            for entry in entries {
                match self.filter.render(&entry, self.format) {
                    Rendered::Wanted(frame) => piece.put(frame),
                    Rendered::Passed => {}
                    Rendered::Over => over = true,
                }
            }
            if !piece.is_empty() && self.sender.send(Ok(piece.freeze())).await.is_err() || over {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

/// Tells when something in a directory was written: inotify(7).
struct Growth(pipe::Receiver);

impl Growth {
    fn of(directory: &str) -> io::Result<Growth> {
        let descriptor = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
        let flags = inotify::WatchFlags::MODIFY | inotify::WatchFlags::CREATE;
        inotify::add_watch(&descriptor, directory, flags)?;
        // An inotify descriptor is read like a pipe; what is checked of a pipe it is not.
        pipe::Receiver::from_owned_fd_unchecked(descriptor).map(Growth)
    }

    /// Takes all events at once: what they were does not matter.
    async fn happened(&self) -> io::Result<()> {
        let mut buffer = [0_u8; 4096];
        loop {
            self.0.readable().await?;
            match self.0.try_read(&mut buffer) {
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }
}
