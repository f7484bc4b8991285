//! Removing names and images, by Docker's rules.

use super::super::digest;
use super::super::error::{Error, short};
use super::super::reference::Reference;
use super::{Image, State, Store};
use crate::kernel::TracedHost;
use crate::op::{FsOp, Op};
use crate::trace::Scope;
use sha2::{Digest as _, Sha256};

/// A container that was made from an image.
#[derive(Clone, Debug)]
pub struct ContainerUse {
    /// 64 hex digits.
    pub container: String,
    /// The image's id.
    pub image: String,
    /// Diff ids its root file system stands on.
    pub layers: Vec<String>,
    /// Running or paused.
    pub running: bool,
}

/// One line of what `rmi` did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Removed {
    /// A name went.
    Untagged(String),
    /// An image or a layer went.
    Deleted(String),
}

impl Store {
    /// Removes a name; with the last name, or by id, the image and every layer nobody else needs.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::InUse`] in Docker's words when a container or another name
    /// needs it.
    pub async fn remove(
        &self,
        door: &TracedHost,
        word: &str,
        force: bool,
        uses: &[ContainerUse],
    ) -> Result<Vec<Removed>, Error> {
        door.within(Scope::ImageRemove, word, async |door: TracedHost| {
            let image = self.find(word)?;
            let using: Vec<&ContainerUse> = uses.iter().filter(|user| user.image == image.id).collect();
            let plan = plan(&image, word, force, &using)?;
            self.replace(&door, |state| plan.apply(state, &image.id)).await?;
            let mut removed: Vec<Removed> =
                plan.names.iter().map(|name| Removed::Untagged(name.familiar())).collect();
            if plan.delete {
                self.delete(&door, &image, uses, &mut removed).await?;
            }
            Ok(removed)
        })
        .await
    }

    /// Removes the files of an image that is out of the record already.
    async fn delete(
        &self,
        door: &TracedHost,
        image: &Image,
        uses: &[ContainerUse],
        removed: &mut Vec<Removed>,
    ) -> Result<(), Error> {
        removed.push(Removed::Deleted(image.id.clone()));
        let diff_ids: Vec<String> = image.layers.iter().map(|layer| layer.diff_id.clone()).collect();
        let held: Vec<String> = uses.iter().flat_map(|user| user.layers.clone()).collect();
        let released = self.release_layers(door, &diff_ids, &held).await?;
        let chain = chain_ids(&diff_ids);
        for (place, diff_id) in diff_ids.iter().enumerate().rev() {
            if released.iter().any(|(layer, _)| layer.diff_id == *diff_id) {
                removed.push(Removed::Deleted(chain[place].clone()));
            }
        }
        let mut ops: Vec<Op> = released.into_iter().flat_map(|(_, ops)| ops).collect();
        let needed = |digest: &str| self.state().index.blobs().any(|blob| blob == digest);
        for digest in [&image.id, &image.manifest] {
            if !needed(digest) {
                ops.push(FsOp::RemoveFile { path: self.blob_path(digest) }.into());
            }
        }
        for op in ops {
            door.perform(op).await?;
        }
        Ok(())
    }
}

/// What a removal will do.
struct Plan {
    names: Vec<Reference>,
    delete: bool,
}

impl Plan {
    fn apply(&self, state: &mut State, id: &str) {
        for name in &self.names {
            state.index.references.remove(&name.to_string());
        }
        if self.delete {
            state.index.images.remove(id);
            state.configs.remove(id);
        }
    }
}

/// Docker's order of questions: a name is only a name while there are others; the last one, or an
/// id, means the image. `image_delete.go` of moby.
fn plan(image: &Image, word: &str, force: bool, using: &[&ContainerUse]) -> Result<Plan, Error> {
    let all: Vec<Reference> = image.tags.iter().chain(&image.digests).cloned().collect();
    let given = word.parse::<Reference>().ok().map(|name| stored(&name)).filter(|name| all.contains(name));
    let running = using.iter().find(|user| user.running);
    if let Some(name) = given {
        if let (false, true, Some(user)) = (force, is_single(&all), using.first()) {
            return Err(Error::InUse(format!(
                "remove repository reference \"{word}\" (must force) - container {} is using its referenced image {}",
                short(&user.container),
                short(&image.id)
            )));
        }
        let names = with_orphaned_digests(&all, name);
        // An image that runs stays, without a name.
        let delete = names.len() == all.len() && running.is_none();
        return Ok(Plan { names, delete });
    }
    if let Some(user) = running {
        let why = "(cannot be forced) - image is being used by running container";
        return Err(refuse(image, format!("{why} {}", short(&user.container))));
    }
    if !force && !is_single(&all) && !all.is_empty() {
        return Err(refuse(image, "(must be forced) - image is referenced in multiple repositories".into()));
    }
    if let (false, Some(user)) = (force, using.first()) {
        let why = "(must be forced) - image is being used by stopped container";
        return Err(refuse(image, format!("{why} {}", short(&user.container))));
    }
    Ok(Plan { names: all, delete: true })
}

fn refuse(image: &Image, why: String) -> Error {
    Error::InUse(format!("delete {} {why}", short(&image.id)))
}

/// A digest counts more than the tag beside it.
fn stored(name: &Reference) -> Reference {
    name.digest().map_or_else(|| name.clone(), |digest| name.at(digest))
}

/// One tag, and digests of the same repository at most; or digests of one repository only.
fn is_single(names: &[Reference]) -> bool {
    let tags = names.iter().filter(|name| name.digest().is_none()).count();
    let mut repositories: Vec<String> = names.iter().map(Reference::name).collect();
    repositories.sort();
    repositories.dedup();
    tags <= 1 && repositories.len() <= 1
}

/// With a repository's last tag its digests go, too.
fn with_orphaned_digests(all: &[Reference], name: Reference) -> Vec<Reference> {
    let same = |other: &&Reference| other.name() == name.name() && **other != name;
    let tag_left = all.iter().filter(same).any(|other| other.digest().is_none());
    let digests = all.iter().filter(same).filter(|other| other.digest().is_some()).cloned();
    let orphaned: Vec<Reference> = if tag_left { Vec::new() } else { digests.collect() };
    std::iter::once(name).chain(orphaned).collect()
}

/// Names of stacks of layers, as Docker prints them: OCI image specification, "Layer ChainID".
fn chain_ids(diff_ids: &[String]) -> Vec<String> {
    let mut chain: Vec<String> = Vec::new();
    for diff_id in diff_ids {
        chain.push(match chain.last() {
            None => diff_id.clone(),
            Some(below) => {
                let hash = Sha256::digest(format!("{below} {diff_id}"));
                format!("sha256:{}", hex::encode(hash))
            }
        });
    }
    debug_assert!(chain.iter().all(|id| digest::is_valid(id)));
    chain
}
