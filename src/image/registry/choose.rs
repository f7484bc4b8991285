//! Who answers for Docker Hub: a mirror, the Hub itself, another address, or the built-in hub.
//!
//! ```text
//!  not docker.io ─────────────────────────────────▶ the registry named
//!  docker.io ─ Url ───────────────────────────────▶ that address
//!            ─ Docker ─▶ mirrors ─▶ the Hub
//!            ─ Builtin ───────────────────────────▶ built-in hub, or "not found" there
//!            ─ Auto ───▶ mirrors ─▶ the Hub answers within 2 s? ─ yes ─▶ the Hub
//!                                      no (remembered for a minute) ─▶ built-in hub if it holds
//!                                                                      the image, else the error
//! ```

use super::Client;
use super::endpoint::{Endpoint, HUB_HOST, RegistryConfig};
use super::error::{Answer, Error, describe};
use super::request::Request;
use super::session::read_greeting;
use crate::image::reference::Reference;
use crate::kernel::{OpError, Response, TracedHost, Value};
use crate::trace::{Note, Scope, facts};
use futures_util::future::BoxFuture;
use std::str::FromStr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// How long Docker Hub may take to answer at all.
const PROBE_LIMIT: Duration = Duration::from_secs(2);
/// How long an unreachable Hub is not asked again.
const REMEMBERED: Duration = Duration::from_secs(60);

/// Who answers for Docker Hub: `--hub`, and `hub` in the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Hub {
    /// Docker Hub; when it cannot be reached, the built-in hub for the images it holds.
    #[default]
    Auto,
    /// Docker Hub only.
    Docker,
    /// The built-in hub only.
    Builtin,
    /// Another registry, as URL or `host[:port]`.
    Url(String),
}

impl FromStr for Hub {
    type Err = Error;

    fn from_str(text: &str) -> Result<Hub, Error> {
        match text {
            "auto" => Ok(Hub::Auto),
            "docker" => Ok(Hub::Docker),
            "builtin" => Ok(Hub::Builtin),
            url => Endpoint::stand_in(url, &RegistryConfig::default()).map(|_| Hub::Url(url.to_owned())),
        }
    }
}

/// Starts the built-in hub if it holds `repository` (`library/alpine`) under a tag or digest, and
/// tells its `host:port`; `None` if it does not hold it. The engine supplies it: images know
/// nothing of hubs.
pub type Builtin = Arc<dyn Fn(String, String) -> BoxFuture<'static, Option<String>> + Send + Sync>;

/// Places to ask, best first, and what the person at the terminal should be told.
#[derive(Clone, Debug)]
pub struct Chosen {
    /// Never empty.
    pub endpoints: Vec<Endpoint>,
    /// A line for the pull's output, when something else answers than was named.
    pub told: Option<String>,
}

/// Whether Docker Hub was out of reach lately.
#[derive(Debug, Default)]
pub(super) struct Reach(Mutex<Option<(Instant, Error)>>);

impl Reach {
    fn lately_lost(&self) -> Option<Error> {
        let lost = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        lost.as_ref().filter(|(since, _)| since.elapsed() < REMEMBERED).map(|(_, error)| error.clone())
    }

    fn remember(&self, error: &Error) {
        *self.0.lock().unwrap_or_else(|poison| poison.into_inner()) = Some((Instant::now(), error.clone()));
    }
}

impl Client {
    /// Chooses where `reference` is pulled from. `hub` is this pull's own wish; without one the
    /// configuration's counts.
    ///
    /// # Errors
    /// When nothing answers that could have the image.
    pub async fn choose(
        &self,
        door: &TracedHost,
        reference: &Reference,
        hub: Option<&Hub>,
        builtin: Option<&Builtin>,
    ) -> Result<Chosen, Error> {
        door.within(Scope::RegistryChoose, reference.registry(), async |door: TracedHost| {
            if !reference.is_hub() {
                return Ok(only(Endpoint::of(reference.registry(), &self.config)?));
            }
            match hub.unwrap_or(&self.config.hub) {
                Hub::Url(address) => self.elsewhere(&door, address),
                Hub::Builtin => self.builtin_only(&door, reference, builtin).await,
                Hub::Docker => self.with_mirrors(&door, Endpoint::hub(&self.config)?),
                Hub::Auto => self.reachable(&door, reference, builtin).await,
            }
        })
        .await
    }

    fn elsewhere(&self, door: &TracedHost, address: &str) -> Result<Chosen, Error> {
        let endpoint = Endpoint::stand_in(address, &self.config)?;
        door.note(Note::RegistryChosen, facts([("registry", &"docker.io"), ("address", &endpoint.host)]));
        let told = Some(format!("Pulling from {} instead of Docker Hub", endpoint.host));
        Ok(Chosen { endpoints: vec![endpoint], told })
    }

    /// Mirrors come first; what they do not have comes from `last`.
    fn with_mirrors(&self, door: &TracedHost, last: Endpoint) -> Result<Chosen, Error> {
        let mut endpoints = Vec::new();
        for mirror in &self.config.mirrors {
            let endpoint = Endpoint::stand_in(mirror, &self.config)?;
            door.note(Note::RegistryChosen, facts([("registry", &"docker.io"), ("address", &endpoint.host)]));
            endpoints.push(endpoint);
        }
        endpoints.push(last);
        Ok(Chosen { endpoints, told: None })
    }

    async fn reachable(
        &self,
        door: &TracedHost,
        reference: &Reference,
        builtin: Option<&Builtin>,
    ) -> Result<Chosen, Error> {
        if !self.config.mirrors.is_empty() {
            return self.with_mirrors(door, Endpoint::hub(&self.config)?);
        }
        let lost = match self.reach.lately_lost() {
            Some(error) => error,
            None => match self.probe(door).await {
                Ok(endpoint) => return Ok(only(endpoint)),
                Err(error) if error.is_abort() => return Err(error),
                Err(error) => {
                    self.reach.remember(&error);
                    error
                }
            },
        };
        let reason = reason(&lost);
        match self.ask_builtin(door, reference, builtin, &reason).await? {
            Some(endpoint) => {
                let told = Some(format!(
                    "Docker Hub does not answer ({reason}): pulling from the built-in hub at {}",
                    endpoint.host
                ));
                Ok(Chosen { endpoints: vec![endpoint], told })
            }
            None => Err(lost),
        }
    }

    async fn builtin_only(
        &self,
        door: &TracedHost,
        reference: &Reference,
        builtin: Option<&Builtin>,
    ) -> Result<Chosen, Error> {
        let endpoint = self.ask_builtin(door, reference, builtin, "--hub builtin").await?;
        let endpoint = endpoint.ok_or_else(|| {
            let (code, message) = ("manifest unknown".into(), "the built-in hub does not hold it".into());
            Error::Answer(Answer { status: 404, code, message, url: "built-in hub".into() })
        })?;
        let told = Some(format!("Pulling from the built-in hub at {}", endpoint.host));
        Ok(Chosen { endpoints: vec![endpoint], told })
    }

    async fn ask_builtin(
        &self,
        door: &TracedHost,
        reference: &Reference,
        builtin: Option<&Builtin>,
        reason: &str,
    ) -> Result<Option<Endpoint>, Error> {
        let Some(builtin) = builtin else { return Ok(None) };
        let asked = builtin(reference.repository().to_owned(), reference.target().to_owned());
        let Some(address) = asked.await else { return Ok(None) };
        let endpoint = Endpoint::stand_in(&address, &self.config)?;
        door.note(
            Note::BuiltinHub,
            facts([("registry", &reference.registry()), ("reason", &reason), ("address", &endpoint.host)]),
        );
        Ok(Some(endpoint))
    }

    /// Asks Docker Hub for a sign of life; its answer is the greeting of the session that follows.
    async fn probe(&self, door: &TracedHost) -> Result<Endpoint, Error> {
        let endpoint = Endpoint::hub(&self.config)?;
        let base = endpoint.bases[0].clone();
        let (op, payload) = Request::new("GET", base.clone()).split();
        let outcome = door.perform_within(PROBE_LIMIT, op, payload).await?;
        let Value::Response(response) = outcome.value else { unreachable!("http.request gives a response") };
        if is_down(&response) {
            let message = format!("{HUB_HOST} answered {}", describe(response.status));
            let (code, status) = ("unavailable".to_owned(), response.status);
            return Err(Error::Answer(Answer { status, code, message, url: base.to_string() }));
        }
        let greeting = Some(read_greeting(response, &base).await?);
        Ok(Endpoint { greeting, ..endpoint })
    }
}

fn only(endpoint: Endpoint) -> Chosen {
    Chosen { endpoints: vec![endpoint], told: None }
}

fn is_down(response: &Response) -> bool {
    response.status >= 500
}

/// The part of the error that tells why, without the URL.
fn reason(error: &Error) -> String {
    match error {
        Error::Op(OpError { fault, .. }) => fault.message.clone(),
        other => other.to_string(),
    }
}
