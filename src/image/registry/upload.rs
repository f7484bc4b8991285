//! The push half of the distribution specification: "Pushing Blobs", "Pushing Manifests",
//! "Mounting a blob from another repository".

use super::error::Error;
use super::request::{Request, redact};
use super::session::Session;
use crate::image::manifest::Part;
use crate::kernel::{ByteStream, Payload, Response, TracedHost, Value};
use bytes::Bytes;
use reqwest::Url;

/// What the registry answers to the wish to send a blob.
#[derive(Debug)]
pub enum Begun {
    /// It took the blob over from the other repository.
    Mounted,
    /// The bytes go here.
    At(Url),
}

impl Session {
    /// Whether the registry has a blob in this repository.
    ///
    /// # Errors
    /// When the registry does not answer, or refuses.
    pub async fn has_blob(&self, door: &TracedHost, digest: &str) -> Result<bool, Error> {
        let request = self.request("HEAD", &format!("blobs/{digest}"));
        let url = request.url.clone();
        let response = self.send(door, request).await?;
        match response.status {
            200 => Ok(true),
            404 => Ok(false),
            _ => Err(Error::from_answer(response, &url).await),
        }
    }

    /// Announces a blob; `from` names a repository of the same registry that may have it.
    ///
    /// # Errors
    /// When the registry does not answer, or refuses.
    pub async fn begin_upload(
        &self,
        door: &TracedHost,
        digest: &str,
        from: Option<&str>,
    ) -> Result<Begun, Error> {
        let mut request = self.request("POST", "blobs/uploads/");
        if let Some(from) = from {
            request.url.query_pairs_mut().append_pair("mount", digest).append_pair("from", from);
        }
        let url = request.url.clone();
        let response = self.send(door, request).await?;
        match response.status {
            201 => Ok(Begun::Mounted),
            202 => Ok(Begun::At(place(&response, &url)?)),
            _ => Err(Error::from_answer(response, &url).await),
        }
    }

    /// Sends a small blob in one request.
    ///
    /// # Errors
    /// When the registry does not answer, refuses, or computes another digest.
    pub async fn put_blob(
        &self,
        door: &TracedHost,
        to: Url,
        digest: &str,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let mut request = Request::new("PUT", with_digest(to, digest));
        request.document = Some(("application/octet-stream".into(), bytes));
        self.expect_created(door, request).await
    }

    /// Sends a blob as a stream, then closes the upload with its digest.
    ///
    /// # Errors
    /// When the connection breaks, the registry refuses, or computes another digest.
    pub async fn stream_blob(
        &self,
        door: &TracedHost,
        to: Url,
        part: &Part,
        bytes: ByteStream,
    ) -> Result<(), Error> {
        let mut request =
            Request::new("PATCH", to.clone()).header("Content-Type", "application/octet-stream");
        request.authorization = self.authorization();
        let (op, payload) = request.split();
        let Payload::Request { url, headers, .. } = payload else {
            unreachable!("a request is split into one")
        };
        let upload = Payload::Upload { url, headers, size: part.size, bytes };
        let Value::Response(response) = door.perform_with(op, upload).await?.value else {
            unreachable!("http.request gives a response")
        };
        if response.status != 202 {
            return Err(Error::from_answer(response, &to).await);
        }
        let to = place(&response, &to)?;
        self.expect_created(door, Request::new("PUT", with_digest(to, &part.digest))).await
    }

    /// Puts a manifest under a tag or its digest, byte for byte.
    ///
    /// # Errors
    /// When the registry does not answer, or refuses.
    pub async fn put_manifest(
        &self,
        door: &TracedHost,
        target: &str,
        media_type: &str,
        bytes: Bytes,
    ) -> Result<(), Error> {
        let mut request = self.request("PUT", &format!("manifests/{target}"));
        request.document = Some((media_type.to_owned(), bytes));
        self.expect_created(door, request).await
    }

    async fn expect_created(&self, door: &TracedHost, request: Request) -> Result<(), Error> {
        let url = request.url.clone();
        let response = self.send(door, request).await?;
        match response.status {
            201 | 202 | 204 => Ok(()),
            _ => Err(Error::from_answer(response, &url).await),
        }
    }
}

/// Where the registry wants the bytes; it may say so in full or from its root.
fn place(response: &Response, asked: &Url) -> Result<Url, Error> {
    let location = response.header("location").unwrap_or_default();
    asked.join(location).ok().filter(|_| !location.is_empty()).ok_or_else(|| Error::Unexpected {
        from: redact(asked),
        expected: "a url in the Location header",
        reason: format!("{location:?}"),
    })
}

fn with_digest(mut url: Url, digest: &str) -> Url {
    url.query_pairs_mut().append_pair("digest", digest);
    url
}
