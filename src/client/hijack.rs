//! Hijacked connections: after `101 UPGRADED` the socket belongs to the container's streams.
//!
//! From the daemon, without a terminal, come frames: one byte for the stream (1 output, 2 error
//! output), three zero bytes, four bytes of length (big endian), then that many bytes. To the
//! daemon go the bytes of standard input as they are; their end is a half-close, shutdown(2).

use super::Error;
use super::connection::{Response, Sender};
use bytes::{Buf, Bytes, BytesMut};
use http_body_util::BodyExt;
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use std::io;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// Which stream a piece of output came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The program's standard output.
    Stdout,
    /// The program's standard error.
    Stderr,
}

/// Takes frames apart. Feed it what arrives, take out what is whole.
#[derive(Debug, Default)]
pub struct Frames {
    buffer: BytesMut,
    /// There are none: a terminal has one output, which comes as it is.
    raw: bool,
}

/// Length of a frame's header, bytes.
const HEADER: usize = 8;

impl Frames {
    /// More bytes from the daemon.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole frame.
    ///
    /// # Errors
    /// `InvalidData` when the header names no stream, which means that framing is lost.
    pub fn next_frame(&mut self) -> io::Result<Option<(Source, Bytes)>> {
        if self.raw {
            let piece = self.buffer.split().freeze();
            return Ok((!piece.is_empty()).then_some((Source::Stdout, piece)));
        }
        let Some(header) = self.buffer.first_chunk::<HEADER>() else { return Ok(None) };
        let [kind, _, _, _, length @ ..] = *header;
        let source = match kind {
            0 | 1 => Source::Stdout,
            2 => Source::Stderr,
            other => {
                let message = format!("unrecognized input header: {other}");
                return Err(io::Error::new(io::ErrorKind::InvalidData, message));
            }
        };
        let length = u32::from_be_bytes(length) as usize;
        if self.buffer.len() < HEADER + length {
            return Ok(None);
        }
        self.buffer.advance(HEADER);
        Ok(Some((source, self.buffer.split_to(length).freeze())))
    }
}

/// A container's streams on one connection.
#[derive(Debug)]
pub struct Hijacked {
    stream: UnixStream,
    early: Bytes,
}

impl Hijacked {
    pub(super) async fn from_response(response: Response) -> Result<Hijacked, Error> {
        let status = response.status();
        let (head, asked) = response.into_head();
        if status != StatusCode::SWITCHING_PROTOCOLS {
            return Err(Error::NotUpgraded { asked, status });
        }
        let upgraded =
            hyper::upgrade::on(head).await.map_err(|source| Error::Lost { asked: asked.clone(), source })?;
        match upgraded.downcast::<TokioIo<UnixStream>>() {
            Ok(parts) => Ok(Hijacked { stream: parts.io.into_inner(), early: parts.read_buf }),
            // Every connection of this client is a unix socket.
            Err(_) => Err(Error::NotUpgraded { asked, status }),
        }
    }

    /// The two directions. `raw` output has no frames: a terminal's.
    pub fn split(self, raw: bool) -> (Output, Input) {
        let (read, write) = self.stream.into_split();
        let mut frames = Frames { raw, ..Frames::default() };
        frames.feed(&self.early);
        (Output { read, frames }, Input(write))
    }
}

/// What the container writes.
#[derive(Debug)]
pub struct Output {
    read: OwnedReadHalf,
    frames: Frames,
}

impl Output {
    /// The next piece; `None` when the container's streams are closed.
    ///
    /// # Errors
    /// When the connection breaks or framing is lost.
    pub async fn next_piece(&mut self) -> io::Result<Option<(Source, Bytes)>> {
        loop {
            if let Some(frame) = self.frames.next_frame()? {
                return Ok(Some(frame));
            }
            if self.read.read_buf(&mut self.frames.buffer).await? == 0 {
                return Ok(None);
            }
        }
    }
}

/// What the container reads.
#[derive(Debug)]
pub struct Input(OwnedWriteHalf);

impl Input {
    /// Sends bytes to the program's standard input.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.0.write_all(bytes).await
    }

    /// Half-closes: the program reads end of file, its output still comes.
    ///
    /// # Errors
    /// When the connection is gone.
    pub async fn close(mut self) -> io::Result<()> {
        self.0.shutdown().await
    }
}

/// Framed output in an ordinary answer's body (`logs`).
pub struct FramedBody {
    asked: String,
    body: Incoming,
    frames: Frames,
    // hyper closes the connection when its sender goes.
    _sender: Sender,
}

impl FramedBody {
    pub(super) fn new(asked: String, response: Response, raw: bool) -> FramedBody {
        let (body, sender) = response.into_raw();
        let frames = Frames { raw, ..Frames::default() };
        FramedBody { asked, body, frames, _sender: sender }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// When the connection breaks or framing is lost.
    pub async fn next_piece(&mut self) -> Result<Option<(Source, Bytes)>, Error> {
        let broken = |reason: String| Error::Body { asked: self.asked.clone(), reason };
        loop {
            if let Some(frame) = self.frames.next_frame().map_err(|error| broken(error.to_string()))? {
                return Ok(Some(frame));
            }
            match self.body.frame().await {
                Some(Ok(frame)) => self.frames.feed(frame.data_ref().unwrap_or(&Bytes::new())),
                Some(Err(error)) => return Err(broken(error.to_string())),
                None => return Ok(None),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_arrive() {
        let wire = [&[1, 0, 0, 0, 0, 0, 0, 2][..], b"hi", &[2, 0, 0, 0, 0, 0, 0, 1], b"!"].concat();
        for step in 1..=wire.len() {
            let mut frames = Frames::default();
            let mut seen = Vec::new();
            for piece in wire.chunks(step) {
                frames.feed(piece);
                while let Some(frame) = frames.next_frame().unwrap() {
                    seen.push(frame);
                }
            }
            let expected =
                [(Source::Stdout, Bytes::from_static(b"hi")), (Source::Stderr, Bytes::from_static(b"!"))];
            assert_eq!(seen, expected, "in pieces of {step}");
        }
    }

    #[test]
    fn a_header_that_names_no_stream_is_an_error() {
        let mut frames = Frames::default();
        frames.feed(b"plain text");
        assert_eq!(frames.next_frame().unwrap_err().to_string(), "unrecognized input header: 112");
    }
}
