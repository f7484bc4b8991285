//! A layer's bytes as one stream, whatever happens to the connections that bring them.

use super::error::{Answer, Error};
use super::session::Session;
use super::transport::show;
use crate::image::manifest::Part;
use crate::kernel::{ByteStream, Response, TracedHost};
use crate::trace::{Note, facts};
use bytes::Bytes;
use futures_util::{StreamExt, stream};
use std::io;
use std::sync::{Arc, Mutex};
use tokio_util::sync::CancellationToken;

/// Where a stream that ended for good leaves its reason; the reader of the stream only sees an
/// [`io::Error`].
pub type Verdict = Arc<Mutex<Option<Error>>>;

struct Download {
    session: Arc<Session>,
    door: TracedHost,
    part: Part,
    /// Next byte to hand out.
    position: u64,
    body: Option<ByteStream>,
    /// Bytes to drop from the body: the registry sent again what is here already.
    skip: u64,
    attempt: u32,
    cancel: CancellationToken,
    verdict: Verdict,
}

impl Session {
    /// The bytes of a blob from `offset` on. Broken connections are mended by asking for the rest
    /// (`Range: bytes=<n>-`); the stream fails only when that does not help any more, or when
    /// `cancel` fires. The first request is made before this returns.
    ///
    /// # Errors
    /// When the registry refuses the blob.
    pub async fn blob(
        self: &Arc<Self>,
        door: TracedHost,
        part: Part,
        offset: u64,
        cancel: CancellationToken,
    ) -> Result<(ByteStream, Verdict), Error> {
        let verdict = Verdict::default();
        let mut download = Download {
            session: self.clone(),
            door,
            position: offset,
            body: None,
            skip: 0,
            attempt: 1,
            cancel,
            verdict: verdict.clone(),
            part,
        };
        if offset < download.part.size {
            download.connect().await?;
        }
        let stream = stream::unfold(Some(download), |download| async {
            let mut download = download?;
            match download.next().await {
                Ok(None) => None,
                Ok(Some(chunk)) => Some((Ok(chunk), Some(download))),
                Err(error) => {
                    let seen = io::Error::other(error.to_string());
                    *download.verdict.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(error);
                    Some((Err(seen), None))
                }
            }
        });
        Ok((stream.boxed(), verdict))
    }
}

impl Download {
    async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        while self.position < self.part.size {
            let Some(body) = &mut self.body else {
                self.connect().await?;
                continue;
            };
            let chunk = tokio::select! {
                chunk = body.next() => chunk,
                () = self.cancel.cancelled() => return Err(self.broken("cancelled")),
            };
            match chunk {
                Some(Ok(chunk)) => {
                    if let Some(chunk) = self.take(chunk) {
                        return Ok(Some(chunk));
                    }
                }
                Some(Err(error)) => self.pause(&error.to_string()).await?,
                None => self.pause("the body ended early").await?,
            }
        }
        Ok(None)
    }

    /// Counts a chunk. More than was promised is cut off: the digest decides.
    fn take(&mut self, mut chunk: Bytes) -> Option<Bytes> {
        let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(chunk.len());
        let _ = chunk.split_to(dropped);
        self.skip -= dropped as u64;
        let room = usize::try_from(self.part.size - self.position).unwrap_or(usize::MAX);
        chunk.truncate(room);
        if chunk.is_empty() {
            return None;
        }
        self.position += chunk.len() as u64;
        self.attempt = 1;
        Some(chunk)
    }

    async fn connect(&mut self) -> Result<(), Error> {
        let mut request = self.session.request("GET", &format!("blobs/{}", self.part.digest));
        if self.position > 0 {
            request = request.header("Range", format!("bytes={}-", self.position));
        }
        let url = request.url.clone();
        let response = self.session.send(&self.door, request).await?;
        match response.status {
            200 => self.skip = self.position,
            206 => {
                self.skip = self.position
                    - first_byte(&response).filter(|at| *at <= self.position).ok_or_else(|| {
                        Error::Unexpected {
                            from: self.part.digest.clone(),
                            expected: "a Content-Range that begins where it was asked to",
                            reason: response.header("content-range").unwrap_or("none").to_owned(),
                        }
                    })?
            }
            _ => {
                return Err(match Error::from_answer(response, &url).await {
                    Error::Answer(Answer { status: 404, code, url, .. }) if code.is_empty() => {
                        let (code, message) = ("blob unknown".into(), "blob unknown to registry".into());
                        Error::Answer(Answer { status: 404, code, message, url })
                    }
                    error => error,
                });
            }
        }
        if self.position > 0 && self.skip == 0 {
            self.door.note(Note::Resumed, facts([("digest", &self.part.digest), ("offset", &self.position)]));
        }
        self.body = Some(response.body);
        Ok(())
    }

    /// Waits a little before the rest is asked for.
    async fn pause(&mut self, reason: &str) -> Result<(), Error> {
        let retry = self.session.client().config().retry;
        if self.attempt >= retry.attempts {
            return Err(self.broken(reason));
        }
        let delay = retry.delay(self.attempt);
        self.attempt += 1;
        self.body = None;
        self.door.note(
            Note::Retried,
            facts([("attempt", &self.attempt), ("reason", &reason), ("delay", &show(delay))]),
        );
        tokio::select! {
            () = tokio::time::sleep(delay) => Ok(()),
            () = self.cancel.cancelled() => Err(self.broken("cancelled")),
        }
    }

    fn broken(&self, reason: &str) -> Error {
        Error::Broken {
            digest: self.part.digest.clone(),
            at: self.position,
            size: self.part.size,
            reason: reason.to_owned(),
        }
    }
}

/// `Content-Range: bytes 100-199/200`.
fn first_byte(response: &Response) -> Option<u64> {
    let range = response.header("content-range")?.strip_prefix("bytes ")?;
    range.split('-').next()?.trim().parse().ok()
}
