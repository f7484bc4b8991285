//! From a name to the manifest for one platform.

use super::super::digest;
use super::super::error::Error;
use super::super::manifest::{self, Document, Entry, Manifest};
use super::super::platform::Platform;
use super::super::registry::Session;
use super::super::store::{Image, Kept};
use super::{Puller, verify};
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use std::sync::Arc;

/// Where a name led.
pub(super) enum Resolution {
    /// To an image that is in the store under this digest.
    Here { image: Image, digest: String },
    /// To a manifest.
    Fetched(Box<Resolved>),
}

/// A manifest for this platform.
pub(super) struct Resolved {
    pub manifest: Manifest,
    pub bytes: Kept,
    /// The list it was chosen from.
    pub list: Option<Kept>,
}

impl Resolved {
    /// What the name stands for: the list's digest if there is one.
    pub fn digest(&self) -> &str {
        self.list.as_ref().map_or(&self.bytes.digest, |list| &list.digest)
    }
}

impl Puller<'_> {
    pub(super) async fn resolve(
        &self,
        door: &TracedHost,
        session: &Arc<Session>,
    ) -> Result<Resolution, Error> {
        let reference = &self.request.reference;
        door.within(Scope::ManifestResolve, reference.to_string(), async |door: TracedHost| {
            let failed = |error| Error::of_registry(reference, error);
            let described = session.describe(&door, reference.target()).await.map_err(failed)?;
            let promised = reference.digest().map(str::to_owned).or(described.map(|found| found.digest));
            if let Some(here) = promised.as_ref().and_then(|digest| self.here(digest)) {
                return Ok(here);
            }
            // By digest, now that it is known: the tag may move between two requests.
            let target = promised.as_deref().unwrap_or(reference.target());
            let (top, document) = self.fetch(&door, session, target, promised.as_deref()).await?;
            match document {
                Document::Manifest(manifest) => {
                    Ok(Resolution::Fetched(Box::new(Resolved { manifest, bytes: top, list: None })))
                }
                Document::List(entries) => {
                    let entry = self.choose(&door, &entries)?;
                    let digest = &entry.manifest.digest;
                    let (bytes, document) = self.fetch(&door, session, digest, Some(digest)).await?;
                    let Document::Manifest(manifest) = document else { return Err(self.nested()) };
                    Ok(Resolution::Fetched(Box::new(Resolved { manifest, bytes, list: Some(top) })))
                }
            }
        })
        .await
    }

    /// The image that is known by this digest, if it is for the right platform.
    fn here(&self, digest: &str) -> Option<Resolution> {
        let image = self.store.get(&self.request.reference.at(digest))?;
        self.platform().runs(&image.platform()).then(|| Resolution::Here { image, digest: digest.to_owned() })
    }

    async fn fetch(
        &self,
        door: &TracedHost,
        session: &Arc<Session>,
        target: &str,
        promised: Option<&str>,
    ) -> Result<(Kept, Document), Error> {
        let reference = &self.request.reference;
        let fetched =
            session.manifest(door, target).await.map_err(|error| Error::of_registry(reference, error))?;
        let digest = digest::of(&fetched.bytes);
        if let Some(promised) = promised {
            verify(door, "manifest", promised, &digest).await?;
        }
        let document = Document::parse(&fetched.bytes, &fetched.media_type, &reference.familiar())?;
        Ok((Kept { digest, bytes: fetched.bytes.into() }, document))
    }

    fn choose<'e>(&self, door: &TracedHost, entries: &'e [Entry]) -> Result<&'e Entry, Error> {
        let offered: Vec<Option<Platform>> = entries.iter().map(|entry| entry.platform.clone()).collect();
        let wanted = self.platform();
        let place = wanted.choose(&offered).ok_or_else(|| manifest::Error::NoMatch(wanted.to_string()))?;
        let entry = &entries[place];
        // Attestations are listed under a platform of their own, which nobody has.
        let shown: Vec<String> =
            offered.iter().flatten().filter(|one| one.os != "unknown").map(ToString::to_string).collect();
        let platform = entry.platform.as_ref().unwrap_or(wanted);
        door.note(
            Note::PlatformChosen,
            facts([
                ("platform", platform),
                ("digest", &entry.manifest.digest),
                ("offered", &shown.join(", ")),
            ]),
        );
        Ok(entry)
    }

    fn platform(&self) -> &Platform {
        self.request.platform.as_ref().unwrap_or(self.store.platform())
    }

    fn nested(&self) -> Error {
        Error::Manifest(manifest::Error::Malformed {
            document: "manifest list",
            of: self.request.reference.familiar(),
            expected: "manifests as its entries",
            reason: "an entry is a list itself".into(),
        })
    }
}
