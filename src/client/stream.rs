//! Streams of JSON documents: pull progress, events, records. Documents are separated by line
//! ends, as the daemon (and Docker's) writes them.

use super::Error;
use super::connection::Sender;
use bytes::{Buf, Bytes, BytesMut};
use futures_util::Stream;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;

/// One document after another. Dropping it closes the connection, which the daemon notices: a
/// pull is cancelled that way.
pub struct JsonLines<T> {
    asked: String,
    body: Incoming,
    buffer: BytesMut,
    // hyper closes the connection when its sender goes.
    _sender: Sender,
    _document: PhantomData<fn() -> T>,
}

impl<T> JsonLines<T> {
    pub(super) fn new(asked: String, body: Incoming, sender: Sender) -> JsonLines<T> {
        JsonLines { asked, body, buffer: BytesMut::new(), _sender: sender, _document: PhantomData }
    }
}

impl<T> JsonLines<T> {
    /// The next bytes as they come, for who takes lines apart elsewhere; not to be mixed with
    /// [`JsonLines::next_line`].
    ///
    /// # Errors
    /// When the connection breaks off.
    pub async fn next_piece(&mut self) -> Result<Option<Bytes>, Error> {
        let broken =
            |source: hyper::Error| Error::Body { asked: self.asked.clone(), reason: source.to_string() };
        let frame = self.body.frame().await.transpose().map_err(broken)?;
        Ok(frame.map(|frame| frame.into_data().unwrap_or_default()))
    }
}

impl<T: DeserializeOwned> JsonLines<T> {
    /// The next document, as the daemon sent it and as `T`; `None` at the end of the stream.
    ///
    /// # Errors
    /// When the connection breaks off or a line is not what it should be.
    pub async fn next_line(&mut self) -> Result<Option<T>, Error> {
        loop {
            if let Some(line) = self.take_line() {
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return self.parse(&line).map(Some);
            }
            match self.next_piece().await? {
                Some(piece) => self.buffer.extend_from_slice(&piece),
                None => {
                    let rest = self.buffer.split().freeze();
                    let rest = rest.trim_ascii();
                    return if rest.is_empty() { Ok(None) } else { self.parse(rest).map(Some) };
                }
            }
        }
    }

    /// The same as a [`Stream`].
    pub fn into_stream(self) -> impl Stream<Item = Result<T, Error>> + Send + 'static
    where
        T: Send + 'static,
    {
        futures_util::stream::try_unfold(self, |mut lines| async move {
            Ok(lines.next_line().await?.map(|document| (document, lines)))
        })
    }

    fn take_line(&mut self) -> Option<Bytes> {
        let end = self.buffer.iter().position(|byte| *byte == b'\n')?;
        let line = self.buffer.split_to(end).freeze();
        self.buffer.advance(1);
        Some(line)
    }

    fn parse(&self, line: &[u8]) -> Result<T, Error> {
        serde_json::from_slice(line).map_err(|source| Error::Malformed { asked: self.asked.clone(), source })
    }
}
