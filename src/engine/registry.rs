//! What is asked of a registry without pulling or pushing: `login`, `search`, `distribution`.

use super::{Engine, Error};
use crate::image::registry::Hit;
use crate::image::{Credentials, Platform, Reference};
use crate::kernel::TracedHost;
use crate::wire::{Descriptor, DistributionInspect, DistributionPlatform, Filters, SearchResult};

/// What a search's filters may name.
const KNOWN: [&str; 3] = ["is-automated", "is-official", "stars"];
/// Results a search gives at most, and when nobody says how many.
const MOST: u32 = 100;
const USUAL: u32 = 25;

impl Engine {
    /// Whether a registry takes these credentials: Docker's word for yes.
    ///
    /// # Errors
    /// The registry's refusal in Docker's words.
    pub async fn login(
        &self,
        door: &TracedHost,
        server: &str,
        credentials: Credentials,
    ) -> Result<&'static str, Error> {
        self.images.login(door, server, credentials).await?;
        Ok("Login Succeeded")
    }

    /// Searches Docker Hub, or the registry the term begins with.
    ///
    /// # Errors
    /// A limit or filter out of range; the registry's silence.
    pub async fn search(
        &self,
        door: &TracedHost,
        term: &str,
        limit: Option<i64>,
        filters: &Filters,
    ) -> Result<Vec<SearchResult>, Error> {
        if let Some(unknown) = filters.unknown(&KNOWN) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let limit = match limit {
            None | Some(0) => USUAL,
            Some(limit) => {
                u32::try_from(limit).ok().filter(|limit| (1..=MOST).contains(limit)).ok_or_else(|| {
                    Error::Invalid(format!("Limit {limit} is outside the range of [1, {MOST}]"))
                })?
            }
        };
        let stars = filters.get("stars").iter().map(|text| {
            text.parse::<i64>().map_err(|_| Error::Invalid(format!("invalid filter 'stars={text}'")))
        });
        let stars = stars.collect::<Result<Vec<i64>, Error>>()?.into_iter().max().unwrap_or(0);
        let flag = |name: &str| filters.get(name).first().map(|value| value == "true" || value == "1");
        let (official, automated) = (flag("is-official"), flag("is-automated"));
        let hits = self.images.search(door, term, limit).await?;
        let fits = |hit: &Hit| {
            hit.star_count >= stars
                && official.is_none_or(|wanted| wanted == hit.is_official)
                && automated.is_none_or(|wanted| wanted == hit.is_automated)
        };
        Ok(hits
            .into_iter()
            .filter(fits)
            .map(|hit| SearchResult {
                star_count: hit.star_count,
                is_official: hit.is_official,
                name: hit.name,
                is_automated: hit.is_automated,
                description: hit.description,
            })
            .collect())
    }

    /// What a registry has under a name, without pulling it.
    ///
    /// # Errors
    /// The registry's refusal in Docker's words.
    pub async fn distribution(
        &self,
        door: &TracedHost,
        reference: &Reference,
        credentials: Credentials,
    ) -> Result<DistributionInspect, Error> {
        let found = self.images.describe_remote(door, reference, credentials).await?;
        let platform = |platform: Platform| DistributionPlatform {
            architecture: platform.architecture,
            os: platform.os,
            variant: platform.variant,
        };
        Ok(DistributionInspect {
            descriptor: Descriptor {
                media_type: found.part.media_type,
                digest: found.part.digest,
                size: i64::try_from(found.part.size).unwrap_or(i64::MAX),
            },
            platforms: found.platforms.into_iter().map(platform).collect(),
        })
    }
}
