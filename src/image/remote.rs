//! Looking at a registry without taking anything home: credentials, search, what a name stands
//! for, which tags there are.

use super::digest;
use super::error::Error;
use super::manifest::{Document, Part, platform_of, read_config};
use super::platform::Platform;
use super::reference::Reference;
use super::registry::{Actions, Credentials, Endpoint, Error as RegistryError, Hit, Session};
use super::store::Store;
use crate::kernel::TracedHost;
use crate::trace::Scope;
use std::sync::Arc;

/// What a registry has under a name.
#[derive(Clone, Debug)]
pub struct Described {
    /// The manifest, or the list of them.
    pub part: Part,
    /// Whom there is an image for.
    pub platforms: Vec<Platform>,
}

/// Key of Docker Hub in a client's configuration; also what `docker login` sends without a name.
const HUB_KEYS: [&str; 4] = ["", "docker.io", "index.docker.io", "https://index.docker.io/v1/"];

impl Store {
    /// Whether a registry (`host[:port]`, or Docker Hub's key) takes these credentials.
    ///
    /// # Errors
    /// The registry's refusal, in Docker's words.
    pub async fn login(
        &self,
        door: &TracedHost,
        server: &str,
        credentials: Credentials,
    ) -> Result<(), Error> {
        let endpoint = match server {
            hub if HUB_KEYS.contains(&hub) => Endpoint::hub(self.registry_config())?,
            other => Endpoint::of(host_of(other), self.registry_config())?,
        };
        let wrap = |error: RegistryError| match error {
            RegistryError::Answer(answer) if answer.status == 401 => {
                Error::LoginRefused { url: answer.url.clone(), reason: answer.to_string() }
            }
            error => error.into(),
        };
        let session =
            self.client().open(door, &endpoint, "", credentials, Actions::Login).await.map_err(wrap)?;
        let answer = session.greet_again(door).await.map_err(wrap)?;
        match answer.status {
            200..=299 => Ok(()),
            status => {
                Err(Error::LoginFailed { url: session.base().to_string(), status: status_line(status) })
            }
        }
    }

    /// Images found by a word.
    ///
    /// # Errors
    /// The registry's silence.
    pub async fn search(&self, door: &TracedHost, term: &str, limit: u32) -> Result<Vec<Hit>, Error> {
        Ok(self.client().search(door, term, limit).await?)
    }

    /// What a name stands for at its registry.
    ///
    /// # Errors
    /// The registry's refusal, in Docker's words.
    pub async fn describe_remote(
        self: &Arc<Self>,
        door: &TracedHost,
        reference: &Reference,
        credentials: Credentials,
    ) -> Result<Described, Error> {
        door.within(Scope::ManifestResolve, reference.to_string(), async |door: TracedHost| {
            let failed = |error| Error::of_registry(reference, error);
            let session = self.session_for(&door, reference, credentials).await.map_err(failed)?;
            let fetched = session.manifest(&door, reference.target()).await.map_err(failed)?;
            let of = reference.familiar();
            let media_type = fetched.media_type.split(';').next().unwrap_or_default().to_owned();
            let (digest, size) = (digest::of(&fetched.bytes), fetched.bytes.len() as u64);
            let platforms = match Document::parse(&fetched.bytes, &fetched.media_type, &of)? {
                Document::List(entries) => entries.into_iter().filter_map(|entry| entry.platform).collect(),
                Document::Manifest(manifest) => {
                    let bytes = session.small_blob(&door, &manifest.config).await.map_err(failed)?;
                    vec![platform_of(&read_config(&bytes, manifest.layers.len(), &of)?)]
                }
            };
            Ok(Described { part: Part { digest, size, media_type }, platforms })
        })
        .await
    }

    /// The tags of a repository.
    ///
    /// # Errors
    /// The registry's refusal, in Docker's words.
    pub async fn remote_tags(
        self: &Arc<Self>,
        door: &TracedHost,
        reference: &Reference,
        credentials: Credentials,
    ) -> Result<Vec<String>, Error> {
        let failed = |error| Error::of_registry(reference, error);
        let session = self.session_for(door, reference, credentials).await.map_err(failed)?;
        session.tags(door).await.map_err(failed)
    }

    async fn session_for(
        self: &Arc<Self>,
        door: &TracedHost,
        reference: &Reference,
        credentials: Credentials,
    ) -> Result<Arc<Session>, RegistryError> {
        let chosen = self.client().choose(door, reference, None, self.builtin()).await?;
        let missing = || RegistryError::Address(reference.registry().to_owned());
        let endpoint = chosen.endpoints.first().ok_or_else(missing)?;
        // A stand-in has no business with the user's password.
        let credentials = if endpoint.stands_in { Credentials::Anonymous } else { credentials };
        self.client().open(door, endpoint, reference.repository(), credentials, Actions::Pull).await
    }
}

/// `https://host:5000/v2/` is `host:5000`.
fn host_of(server: &str) -> &str {
    let rest = server.trim_start_matches("https://").trim_start_matches("http://");
    rest.split('/').next().unwrap_or(rest)
}

fn status_line(status: u16) -> String {
    reqwest::StatusCode::from_u16(status).map_or_else(|_| status.to_string(), |status| status.to_string())
}
