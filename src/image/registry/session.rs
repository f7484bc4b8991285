//! A conversation with one registry about one repository.

use super::auth::Authorizer;
use super::challenge::Challenge;
use super::endpoint::Endpoint;
use super::error::Error;
use super::request::{Request, redact};
use super::transport::show;
use super::{Client, transport::Transport};
use crate::image::manifest::{ACCEPT, CONFIG_LIMIT, MANIFEST_LIMIT, Part};
use crate::kernel::{Response, TracedHost};
use crate::trace::{Note, Scope, facts};
use crate::wire::Credentials;
use futures_util::StreamExt;
use reqwest::Url;
use std::sync::{Arc, Mutex};

/// Tags asked for at once, after the first page.
const PAGE: &str = "1000";
/// Tags listed at most.
const MOST_TAGS: usize = 100_000;

/// What HEAD tells of a manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Described {
    /// `Docker-Content-Digest`.
    pub digest: String,
    /// `Content-Type`.
    pub media_type: String,
    /// `Content-Length`, where it is said.
    pub size: u64,
}

/// A document as it came.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// `Content-Type`.
    pub media_type: String,
}

/// What a conversation is to be allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actions {
    /// To look and to fetch.
    Pull,
    /// To send as well.
    Push,
    /// Nothing in particular: whether the credentials are good.
    Login,
}

/// A conversation; cheap to share between the layers of one pull.
#[derive(Debug)]
pub struct Session {
    client: Arc<Client>,
    base: Url,
    host: String,
    repository: String,
    credentials: Credentials,
    actions: Actions,
    authorization: Mutex<Option<String>>,
}

impl Client {
    /// Begins a conversation: `GET /v2/`, and a token when the registry wants one.
    ///
    /// # Errors
    /// When the registry does not answer, or refuses the credentials.
    pub async fn open(
        self: &Arc<Self>,
        door: &TracedHost,
        endpoint: &Endpoint,
        repository: &str,
        credentials: Credentials,
        actions: Actions,
    ) -> Result<Arc<Session>, Error> {
        let host = endpoint.host.clone();
        door.within(Scope::RegistryAuth, host.clone(), async |door: TracedHost| {
            let (base, challenges) = self.knock(&door, endpoint).await?;
            let session = Session {
                client: self.clone(),
                base,
                host: host.clone(),
                repository: repository.to_owned(),
                credentials,
                actions,
                authorization: Mutex::default(),
            };
            if challenges.is_empty() {
                door.note(Note::NoChallenge, facts([("registry", &host)]));
            } else {
                session.authorize(&door, &challenges, false).await?;
            }
            Ok(Arc::new(session))
        })
        .await
    }

    /// The base URL that answers, and what it wants. A host with two schemes is asked in order;
    /// the second is tried only if the first was answered by something that is no registry.
    async fn knock(&self, door: &TracedHost, endpoint: &Endpoint) -> Result<(Url, Vec<Challenge>), Error> {
        if let Some(greeting) = &endpoint.greeting {
            return Ok((endpoint.bases[0].clone(), greeting.clone()));
        }
        let mut bases = endpoint.bases.iter().peekable();
        loop {
            let base = bases.next().ok_or_else(|| Error::Address(endpoint.host.clone()))?;
            let result = greet(&self.transport, door, base).await;
            let wrong_scheme = match &result {
                Ok(_) => false,
                Err(Error::Answer(answer)) => answer.status == 400,
                Err(error) => !error.is_abort() && !error.is_refused(),
            };
            if !wrong_scheme || bases.peek().is_none() {
                return Ok((base.clone(), result?));
            }
        }
    }
}

/// `GET /v2/`: the challenges, none when the registry is open.
async fn greet(transport: &Transport, door: &TracedHost, base: &Url) -> Result<Vec<Challenge>, Error> {
    let mut request = Request::new("GET", base.clone());
    request.impatient = true;
    let response = transport.send(door, &request).await?;
    read_greeting(response, base).await
}

/// What the answer to `GET /v2/` asks for. Some registries have no page there (404) and want
/// nothing.
pub(super) async fn read_greeting(response: Response, base: &Url) -> Result<Vec<Challenge>, Error> {
    match response.status {
        200..=299 | 404 => Ok(Vec::new()),
        401 => match challenges(&response) {
            wanted if wanted.is_empty() => Err(Error::from_answer(response, base).await),
            wanted => Ok(wanted),
        },
        _ => Err(Error::from_answer(response, base).await),
    }
}

fn challenges(response: &Response) -> Vec<Challenge> {
    let lines = response.headers.iter().filter(|(name, _)| name == "www-authenticate");
    lines.flat_map(|(_, value)| Challenge::parse(value)).collect()
}

impl Session {
    /// Host and port talked to.
    pub fn host(&self) -> &str {
        &self.host
    }

    pub(super) fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// What a tag or digest stands for, without fetching it; `None` when the registry does not
    /// say, and the manifest must be fetched to learn why.
    ///
    /// # Errors
    /// When the registry does not answer.
    pub async fn describe(&self, door: &TracedHost, target: &str) -> Result<Option<Described>, Error> {
        let request = self.request("HEAD", &format!("manifests/{target}")).header("Accept", ACCEPT);
        let response = self.send(door, request).await?;
        let header = |name| response.header(name).unwrap_or_default().to_owned();
        let digest = header("docker-content-digest");
        let good = response.status == 200 && crate::image::digest::is_valid(&digest);
        Ok(good.then(|| Described {
            digest,
            media_type: header("content-type"),
            size: header("content-length").parse().unwrap_or(0),
        }))
    }

    /// Fetches a manifest or a list of them.
    ///
    /// # Errors
    /// When the registry refuses, or sends more than [`MANIFEST_LIMIT`].
    pub async fn manifest(&self, door: &TracedHost, target: &str) -> Result<Fetched, Error> {
        let request = self.request("GET", &format!("manifests/{target}")).header("Accept", ACCEPT);
        self.fetch(door, request, MANIFEST_LIMIT).await
    }

    /// Every tag of the repository, page by page.
    ///
    /// # Errors
    /// When the registry does not answer, or has no such repository.
    pub async fn tags(&self, door: &TracedHost) -> Result<Vec<String>, Error> {
        #[derive(serde::Deserialize)]
        struct Page {
            #[serde(default)]
            tags: Option<Vec<String>>,
        }
        let mut tags: Vec<String> = Vec::new();
        loop {
            let mut request = self.request("GET", "tags/list");
            if let Some(last) = tags.last() {
                request.url.query_pairs_mut().append_pair("n", PAGE).append_pair("last", last);
            }
            let url = request.url.clone();
            let page = self.fetch(door, request, MANIFEST_LIMIT).await?;
            let page: Page = serde_json::from_slice(&page.bytes).map_err(|error| Error::Unexpected {
                from: redact(&url),
                expected: "a list of tags",
                reason: error.to_string(),
            })?;
            let more: Vec<String> =
                page.tags.unwrap_or_default().into_iter().filter(|tag| !tags.contains(tag)).collect();
            if more.is_empty() || tags.len() > MOST_TAGS {
                return Ok(tags);
            }
            tags.extend(more);
        }
    }

    /// Fetches a small blob: an image configuration.
    ///
    /// # Errors
    /// When the registry refuses, or sends more than [`CONFIG_LIMIT`].
    pub async fn small_blob(&self, door: &TracedHost, part: &Part) -> Result<Vec<u8>, Error> {
        let request = self.request("GET", &format!("blobs/{}", part.digest));
        Ok(self.fetch(door, request, CONFIG_LIMIT).await?.bytes)
    }

    pub(super) fn request(&self, method: &'static str, path: &str) -> Request {
        let mut url = self.base.clone();
        url.set_path(&format!("/v2/{}/{path}", self.repository));
        Request::new(method, url)
    }

    /// Sends with the credentials in hand; a challenge on the way is answered once.
    pub(super) async fn send(&self, door: &TracedHost, mut request: Request) -> Result<Response, Error> {
        request.authorization = self.authorization();
        let response = self.client.transport.send(door, &request).await?;
        let wanted = if response.status == 401 { challenges(&response) } else { Vec::new() };
        let final_word = wanted.iter().any(|challenge| challenge.get("error") == Some("insufficient_scope"));
        if wanted.is_empty() || final_word {
            return Ok(response);
        }
        self.authorize(door, &wanted, request.authorization.is_some()).await?;
        request.authorization = self.authorization();
        self.client.transport.send(door, &request).await
    }

    /// A whole document; one that breaks off is fetched again.
    async fn fetch(&self, door: &TracedHost, request: Request, limit: usize) -> Result<Fetched, Error> {
        let retry = self.client.transport.retry;
        let mut attempt = 1;
        loop {
            let response = self.send(door, request.clone()).await?;
            if response.status != 200 {
                return Err(Error::from_answer(response, &request.url).await);
            }
            let media_type = response.header("content-type").unwrap_or_default().to_owned();
            match read_body(response, limit, &request.url).await {
                Ok(bytes) => return Ok(Fetched { bytes, media_type }),
                Err(Error::Unexpected { expected: WHOLE_BODY, reason, .. }) if attempt < retry.attempts => {
                    let delay = retry.delay(attempt);
                    attempt += 1;
                    let shown = show(delay);
                    door.note(
                        Note::Retried,
                        facts([("attempt", &attempt), ("reason", &reason), ("delay", &shown)]),
                    );
                    tokio::time::sleep(delay).await;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether the credentials are good for anything, once they were sent.
    ///
    /// # Errors
    /// The registry's refusal.
    pub async fn greet_again(&self, door: &TracedHost) -> Result<Response, Error> {
        let mut url = self.base.clone();
        url.set_path("/v2/");
        self.send(door, Request::new("GET", url)).await
    }

    /// Where the registry is: `https://host/v2/`.
    pub fn base(&self) -> &Url {
        &self.base
    }

    async fn authorize(
        &self,
        door: &TracedHost,
        challenges: &[Challenge],
        refused: bool,
    ) -> Result<(), Error> {
        let authorizer = Authorizer {
            transport: &self.client.transport,
            tokens: &self.client.tokens,
            credentials: &self.credentials,
            repository: &self.repository,
            actions: self.actions,
            refused,
        };
        let header = authorizer.answer(door, challenges, &self.host).await?;
        *self.authorization.lock().unwrap_or_else(|poison| poison.into_inner()) = Some(header);
        Ok(())
    }

    pub(super) fn authorization(&self) -> Option<String> {
        self.authorization.lock().unwrap_or_else(|poison| poison.into_inner()).clone()
    }
}

const WHOLE_BODY: &str = "a whole body";

/// Reads a small body.
pub(super) async fn read_body(mut response: Response, limit: usize, url: &Url) -> Result<Vec<u8>, Error> {
    let unexpected = |expected, reason| Error::Unexpected { from: redact(url), expected, reason };
    let mut bytes = Vec::new();
    while let Some(chunk) = response.body.next().await {
        bytes.extend_from_slice(&chunk.map_err(|error| unexpected(WHOLE_BODY, error.to_string()))?);
        if bytes.len() > limit {
            return Err(unexpected("a small document", format!("more than {limit} bytes")));
        }
    }
    Ok(bytes)
}
