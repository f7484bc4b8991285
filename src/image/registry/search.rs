//! Docker Hub's search, and that of registries that still have it: `/v1/search`.

use super::Client;
use super::endpoint::Endpoint;
use super::error::Error;
use super::request::{Request, redact};
use super::session::read_body;
use crate::kernel::TracedHost;
use crate::trace::Scope;
use serde::Deserialize;

/// Where Docker Hub is searched.
const INDEX: &str = "https://index.docker.io/v1/search";
/// Most bytes of an answer.
const LIMIT: usize = 4 << 20;

/// One image that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct Hit {
    /// Its name.
    pub name: String,
    /// What its owner says of it.
    pub description: String,
    /// How many people starred it.
    pub star_count: i64,
    /// Whether Docker looks after it.
    pub is_official: bool,
    /// Whether it was built by Docker Hub itself; no longer used.
    pub is_automated: bool,
}

#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    results: Vec<Hit>,
}

impl Client {
    /// Searches for a word; `host[:port]/word` asks that registry instead of Docker Hub.
    ///
    /// # Errors
    /// When it does not answer, or not with a list.
    pub async fn search(&self, door: &TracedHost, term: &str, limit: u32) -> Result<Vec<Hit>, Error> {
        door.within(Scope::RegistrySearch, term, async |door: TracedHost| {
            let (base, word) = match term.split_once('/') {
                Some((host, word)) if host.contains(['.', ':']) || host == "localhost" => {
                    let endpoint = Endpoint::of(host, &self.config)?;
                    (endpoint.bases[0].join("/v1/search").ok(), word)
                }
                _ => (INDEX.parse().ok(), term),
            };
            let mut url: reqwest::Url = base.ok_or_else(|| Error::Address(term.to_owned()))?;
            url.query_pairs_mut().append_pair("q", word).append_pair("n", &limit.to_string());
            let mut request = Request::new("GET", url.clone());
            request.impatient = true;
            let response = self.transport.send(&door, &request).await?;
            if response.status != 200 {
                return Err(Error::from_answer(response, &url).await);
            }
            let bytes = read_body(response, LIMIT, &url).await?;
            let page: Page = serde_json::from_slice(&bytes).map_err(|error| Error::Unexpected {
                from: redact(&url),
                expected: "a list of images",
                reason: error.to_string(),
            })?;
            Ok(page.results)
        })
        .await
    }
}
