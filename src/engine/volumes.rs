//! `docker volume`: made, listed, looked at, removed.

use super::{Engine, Error};
use crate::container::Record;
use crate::kernel::TracedHost;
use crate::trace::{Note, Scope, facts};
use crate::volume::{Draft, LOCAL, Volume, Volumes};
use crate::wire::{Filters, Volume as Shown, VolumeList, VolumePrune, VolumeRequest};
use std::path::PathBuf;
use std::sync::Arc;

/// What a list may be narrowed by.
const LISTED_BY: [&str; 4] = ["dangling", "driver", "label", "name"];

/// What a prune may be narrowed by.
const PRUNED_BY: [&str; 3] = ["all", "label", "label!"];

impl Engine {
    /// The volumes.
    pub fn volumes(&self) -> &Volumes {
        &self.volumes
    }

    /// Reads the volumes of an earlier daemon.
    ///
    /// # Errors
    /// A damaged record.
    pub async fn open_volumes(&self, door: &TracedHost) -> Result<(), Error> {
        Ok(self.volumes.open(door).await?)
    }

    /// `POST /volumes/create`; the one of this name if there is one.
    ///
    /// # Errors
    /// A name, driver or option that is none; the disk refuses.
    pub async fn create_volume(&self, door: &TracedHost, request: VolumeRequest) -> Result<Shown, Error> {
        let VolumeRequest { name, driver, driver_opts, labels } = request;
        let mut draft = match name.is_empty() {
            true => Draft::anonymous(self.made_up_name()),
            false => Draft { name, ..Draft::default() },
        };
        draft.driver = driver;
        draft.options = driver_opts;
        draft.labels.extend(labels);
        Ok(self.shown(&self.make_volume(door, draft).await?.0))
    }

    pub(super) async fn make_volume(&self, door: &TracedHost, draft: Draft) -> Result<(Volume, bool), Error> {
        let (volume, new) = self.volumes.make(door, draft, self.stamp()).await?;
        if new {
            self.events.volume(&volume.name, "create", &[]);
        }
        Ok((volume, new))
    }

    /// 64 hex digits.
    pub(super) fn made_up_name(&self) -> String {
        hex::encode(self.source.random())
    }

    /// `GET /volumes`.
    ///
    /// # Errors
    /// An unknown filter.
    pub fn list_volumes(&self, filters: &Filters) -> Result<VolumeList, Error> {
        if let Some(unknown) = filters.unknown(&LISTED_BY) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let is_true = |text: &str| matches!(text, "1" | "t" | "T" | "true" | "TRUE" | "True");
        let fits = |volume: &Volume| {
            filters.any("name", |name| volume.name.contains(name))
                && filters.any("driver", |driver| driver == LOCAL)
                && filters.any("dangling", |wanted| is_true(wanted) == self.users(&volume.name).is_empty())
                && filters.labels(&volume.labels)
        };
        let mut volumes = self.volumes.list();
        volumes.retain(fits);
        let volumes = volumes.iter().map(|volume| self.shown(volume)).collect();
        Ok(VolumeList { volumes, warnings: None })
    }

    /// `GET /volumes/{name}`.
    ///
    /// # Errors
    /// No such volume.
    pub fn inspect_volume(&self, name: &str) -> Result<Shown, Error> {
        Ok(self.shown(&self.volumes.get(name)?))
    }

    /// `DELETE /volumes/{name}`; with `force` one that is not there is fine.
    ///
    /// # Errors
    /// No such volume; containers need it; the disk refuses.
    pub async fn remove_volume(&self, door: &TracedHost, name: &str, force: bool) -> Result<(), Error> {
        let _turn = self.volumes.turn.write().await;
        match self.volumes.get(name) {
            Err(crate::volume::Error::Missing(_)) if force => return Ok(()),
            found => drop(found?),
        }
        let users = self.users(name);
        if !users.is_empty() {
            return Err(crate::volume::Error::InUse { name: name.to_owned(), users }.into());
        }
        self.volumes.remove(door, name).await?;
        self.events.volume(name, "destroy", &[]);
        Ok(())
    }

    /// `POST /volumes/prune`: volumes no container has; only those nobody named, unless `all`.
    ///
    /// # Errors
    /// An unknown filter; the disk refuses.
    pub async fn prune_volumes(
        &self,
        door: &TracedHost,
        filters: &Filters,
        all: bool,
    ) -> Result<VolumePrune, Error> {
        if let Some(unknown) = filters.unknown(&PRUNED_BY) {
            return Err(Error::Invalid(format!("invalid filter '{unknown}'")));
        }
        let all = all || filters.get("all").iter().any(|word| matches!(word.as_str(), "1" | "true"));
        let mut excluded = Filters::default();
        filters.get("label!").iter().for_each(|label| excluded.add("label", label));
        let kept = |volume: &Volume| !filters.get("label!").is_empty() && excluded.labels(&volume.labels);
        let _turn = self.volumes.turn.write().await;
        let mut doomed = self.volumes.list();
        doomed.retain(|volume| {
            (all || volume.is_anonymous())
                && filters.labels(&volume.labels)
                && !kept(volume)
                && self.users(&volume.name).is_empty()
        });
        let names: Vec<String> = doomed.iter().map(|volume| volume.name.clone()).collect();
        door.note(Note::VolumesUnused, facts([("count", &names.len()), ("names", &names.join(", "))]));
        let mut prune = VolumePrune::default();
        for name in names {
            let directory = PathBuf::from(self.volumes.mountpoint(&name));
            let counted = tokio::task::spawn_blocking(move || super::list::bytes_below(&directory)).await;
            self.volumes.remove(door, &name).await?;
            self.events.volume(&name, "destroy", &[]);
            prune.space_reclaimed += counted.ok().and_then(|bytes| u64::try_from(bytes).ok()).unwrap_or(0);
            prune.volumes_deleted.get_or_insert_default().push(name);
        }
        Ok(prune)
    }

    /// Ids of the containers that have a volume.
    pub(super) fn users(&self, volume: &str) -> Vec<String> {
        let has =
            |record: &Record| record.mounts.iter().any(|mount| mount.is_volume() && mount.name == volume);
        let all = self.containers.all();
        all.iter()
            .filter(|container| has(&container.record()))
            .map(|container| container.id.clone())
            .collect()
    }

    /// Removes the volumes nobody named of a container that is gone, unless others have them.
    pub(super) async fn drop_volumes(&self, door: &TracedHost, record: &Record) {
        for mount in record.mounts.iter().filter(|mount| mount.is_volume() && mount.anonymous) {
            // What another container uses stays, and what the disk refuses is in the trace.
            let _ = self.remove_volume(door, &mount.name, true).await;
        }
    }

    /// `DELETE /containers/{id}?v=1`.
    ///
    /// # Errors
    /// As [`Engine::remove`].
    pub async fn remove_with_volumes(
        self: &Arc<Self>,
        door: &TracedHost,
        wanted: &str,
        force: bool,
    ) -> Result<(), Error> {
        let record = self.containers.find(wanted)?.snapshot();
        self.remove(door, wanted, force).await?;
        self.drop_volumes(door, &record).await;
        Ok(())
    }

    /// Takes back volumes made for a container that cannot be.
    pub(super) async fn drop_made(&self, door: &TracedHost, made: Vec<String>) {
        for name in made {
            // What the disk refuses is in the trace.
            let _ = self.volumes.remove(door, &name).await;
        }
    }

    fn shown(&self, volume: &Volume) -> Shown {
        let some = |map: &std::collections::BTreeMap<String, String>| {
            Some(map.clone()).filter(|map| !map.is_empty())
        };
        Shown {
            created_at: volume.created.clone(),
            driver: LOCAL.into(),
            labels: some(&volume.labels),
            mountpoint: self.volumes.mountpoint(&volume.name),
            name: volume.name.clone(),
            options: some(&volume.options),
            scope: LOCAL.into(),
        }
    }
}

/// What happens to a new volume before its container is there.
impl Engine {
    /// Gives a new, empty volume what the image has at its place, with owner and mode.
    pub(super) async fn populate(&self, door: &TracedHost, record: &Record) -> Result<(), Error> {
        for mount in record.mounts.iter().filter(|mount| mount.is_volume() && mount.copy_up) {
            let is_empty = self.host.list(&mount.source).is_ok_and(|names| names.is_empty());
            let in_image = |layer: &String| self.host.look(&format!("{layer}{}", mount.target)).is_ok();
            let copied = record.snapshot.overlay.is_none() && in_image(&record.snapshot.rootfs);
            if !is_empty || !(copied || record.snapshot.layers.iter().any(in_image)) {
                continue;
            }
            door.within(Scope::VolumePopulate, mount.name.clone(), async |door: TracedHost| {
                self.copy_up(&door, record, &mount.target, &mount.source).await
            })
            .await?;
        }
        Ok(())
    }
}
