//! `docker logs`: the json-file log, so far and as it grows.

use super::{Engine, Error};
use crate::container::log::{Filter, Reader};
use bytes::{BufMut, Bytes, BytesMut};
use rustix::fs::inotify;
use std::fs::File;
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
        let path = self.places.log(&container.id);
        let (sender, receiver) = mpsc::channel(QUEUE);
        let progress = options.follow.then(|| container.watch());
        let broken = |error: io::Error| Error::Read { path: path.clone(), reason: error.to_string() };
        // The watch begins before the first read: no line falls in between.
        let growth = options.follow.then(|| Growth::of(&self.places.container(&container.id))).transpose();
        let growth = growth.map_err(broken)?;
        let reader = match File::open(&path) {
            Ok(file) => Some(Reader::new(file, options.tail).map_err(broken)?),
            // Never started: there is no log yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(broken(error)),
        };
        let work = Reading { path, reader, filter: options.filter, sender };
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
        loop {
            // Asked before reading: what was written before the end is still read.
            let over = !progress.borrow_and_update().running;
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

    /// Sends what is there; `false` when nobody listens any more.
    async fn rest(&mut self) -> io::Result<bool> {
        if self.reader.is_none() {
            match File::open(&self.path) {
                Ok(file) => self.reader = Some(Reader::new(file, None)?),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
                Err(error) => return Err(error),
            }
        }
        let Some(reader) = &mut self.reader else { return Ok(true) };
        while let Some(lines) = reader.lines()? {
            // All frames of one read travel together: a write for each line would cost more than
            // everything else.
            let mut piece = BytesMut::new();
            lines.iter().filter_map(|line| self.filter.render(line)).for_each(|frame| piece.put(frame));
            if !piece.is_empty() && self.sender.send(Ok(piece.freeze())).await.is_err() {
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
