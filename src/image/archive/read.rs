//! What images an archive holds, once its files are here.

use super::super::digest;
use super::super::error::Error;
use super::super::manifest::{self, Document, Manifest, Part};
use super::super::platform::Platform;
use super::super::reference::Reference;
use super::super::travel::read_error;
use super::{Entry, NAME, REF_NAME};
use crate::kernel::{Received, TracedHost};
use serde_json::Value;
use std::collections::HashMap;

/// Most bytes of a document in an archive.
const DOCUMENT_LIMIT: u64 = 8 << 20;
/// Links followed from one file to the next.
const MOST_LINKS: usize = 8;

/// An image in an archive.
#[derive(Debug)]
pub(in crate::image) struct Found {
    pub config: Received,
    /// Lowest first.
    pub layers: Vec<Received>,
    /// What it is called there.
    pub names: Vec<Reference>,
    /// Its manifest, where the archive has one.
    pub manifest: Option<Vec<u8>>,
}

/// Which format was found, for the narration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::image) enum Format {
    Docker,
    Oci,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Docker => "docker",
            Format::Oci => "oci",
        }
    }
}

/// The files of an archive by their names.
pub(in crate::image) struct Archive<'a> {
    door: &'a TracedHost,
    files: HashMap<&'a str, &'a Received>,
}

impl<'a> Archive<'a> {
    pub fn new(door: &'a TracedHost, received: &'a [Received]) -> Archive<'a> {
        Archive { door, files: received.iter().map(|one| (one.name.as_str(), one)).collect() }
    }

    /// The images in it; of a list the one for `platform`. A layout counts more than Docker's
    /// list, for it has the manifests as they were.
    pub fn images(&self, platform: &Platform) -> Result<(Format, Vec<Found>), Error> {
        if self.files.contains_key("oci-layout") && self.files.contains_key("index.json") {
            return Ok((Format::Oci, self.layout(platform)?));
        }
        if self.files.contains_key("manifest.json") {
            return Ok((Format::Docker, self.docker()?));
        }
        Err(Error::Archive("does not contain a manifest.json".into()))
    }

    fn docker(&self) -> Result<Vec<Found>, Error> {
        let list: Vec<Entry> = self.document("manifest.json")?;
        let found = list.into_iter().map(|entry| {
            let layers = entry.layers.iter().map(|name| self.file(name).cloned());
            Ok(Found {
                config: self.file(&entry.config)?.clone(),
                layers: layers.collect::<Result<_, Error>>()?,
                names: names(entry.repo_tags.iter().flatten())?,
                manifest: None,
            })
        });
        found.collect()
    }

    fn layout(&self, platform: &Platform) -> Result<Vec<Found>, Error> {
        let index: Value = self.document("index.json")?;
        let tags = self.docker_names();
        let mut found: Vec<Found> = Vec::new();
        for entry in index.get("manifests").and_then(Value::as_array).into_iter().flatten() {
            let text = |pointer: &str| entry.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let (bytes, manifest) = self.manifest(text("/digest"), platform)?;
            let annotation = |key: &str| entry.get("annotations")?.get(key)?.as_str();
            // Only the full name is sure to be one: a bare `latest` is the tag of nothing.
            let own =
                annotation(NAME).or_else(|| annotation(REF_NAME).filter(|name| name.contains(['/', ':'])));
            let mut names = names(own.map(str::to_owned).iter())?;
            if names.is_empty() {
                names = tags.get(&manifest.config.digest).cloned().unwrap_or_default();
            }
            if let Some(same) = found.iter_mut().find(|one| one.config.digest == manifest.config.digest) {
                same.names.extend(names);
                continue;
            }
            let blob = |part: &Part| self.blob(&part.digest).cloned();
            found.push(Found {
                config: blob(&manifest.config)?,
                layers: manifest.layers.iter().map(blob).collect::<Result<_, _>>()?,
                names,
                manifest: Some(bytes),
            });
        }
        Ok(found)
    }

    /// The manifest with this digest; where it is a list, the one in it for `platform`.
    fn manifest(&self, digest: &str, platform: &Platform) -> Result<(Vec<u8>, Manifest), Error> {
        let bytes = self.bytes(self.blob(digest)?)?;
        match Document::parse(&bytes, "", digest)? {
            Document::Manifest(manifest) => Ok((bytes, manifest)),
            Document::List(entries) => {
                let offered: Vec<Option<Platform>> = entries.iter().map(|one| one.platform.clone()).collect();
                let place = platform.choose(&offered);
                let place = place.ok_or_else(|| manifest::Error::NoMatch(platform.to_string()))?;
                let chosen = &entries[place].manifest.digest;
                let bytes = self.bytes(self.blob(chosen)?)?;
                match Document::parse(&bytes, "", chosen)? {
                    Document::Manifest(manifest) => Ok((bytes, manifest)),
                    Document::List(_) => Err(Error::Archive(format!("{chosen} is a list within a list"))),
                }
            }
        }
    }

    /// Names in Docker's list, by the digest of the configuration: podman and older engines leave
    /// them out of `index.json`.
    fn docker_names(&self) -> HashMap<String, Vec<Reference>> {
        let list: Vec<Entry> = self.document("manifest.json").unwrap_or_default();
        let named = list.into_iter().filter_map(|entry| {
            let digest = self.file(&entry.config).ok()?.digest.clone();
            Some((digest, names(entry.repo_tags.iter().flatten()).ok()?))
        });
        named.collect()
    }

    fn blob(&self, digest: &str) -> Result<&'a Received, Error> {
        let file = self.file(&format!("blobs/sha256/{}", digest::hex(digest)))?;
        if file.digest != digest {
            return Err(Error::corrupt("archived blob", digest, &file.digest));
        }
        Ok(file)
    }

    /// A file by its name, links followed.
    fn file(&self, name: &str) -> Result<&'a Received, Error> {
        let mut name = name.trim_start_matches("./").to_owned();
        for _ in 0..MOST_LINKS {
            let Some(found) = self.files.get(name.as_str()) else { break };
            let Some(link) = &found.link else { return Ok(found) };
            // Hard links say a whole name, symbolic ones are seen from where they stand.
            name = match self.files.contains_key(link.as_str()) {
                true => link.clone(),
                false => beside(&name, link),
            };
        }
        Err(Error::Archive(format!("does not contain {name}")))
    }

    fn document<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        let bytes = self.bytes(self.file(name)?)?;
        serde_json::from_slice(&bytes).map_err(|error| Error::Archive(format!("malformed {name}: {error}")))
    }

    pub fn bytes(&self, file: &Received) -> Result<Vec<u8>, Error> {
        if file.size > DOCUMENT_LIMIT {
            return Err(Error::Archive(format!("{} is no document: it has {} bytes", file.name, file.size)));
        }
        self.door.host().read(&file.file).map_err(|error| read_error(&file.file, &error))
    }
}

/// `../b/layer.tar` seen from `a/layer.tar` is `b/layer.tar`.
fn beside(name: &str, link: &str) -> String {
    let mut parts: Vec<&str> = name.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn names<'n>(given: impl Iterator<Item = &'n String>) -> Result<Vec<Reference>, Error> {
    given.filter(|name| *name != "<none>:<none>").map(|name| Ok(name.parse::<Reference>()?)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_read_from_where_they_stand() {
        assert_eq!(beside("a/layer.tar", "../b/layer.tar"), "b/layer.tar");
        assert_eq!(beside("a/layer.tar", "../../../etc/passwd"), "etc/passwd");
        assert_eq!(beside("x", "y"), "y");
    }
}
