//! The mounts of a container about to be made: its volumes are found or made, other containers'
//! are taken over.

use super::{Engine, Error};
use crate::container::mounts::{self, Planned};
use crate::kernel::TracedHost;
use crate::volume::Draft;
use crate::wire::{Config, HostConfig};

impl Engine {
    /// Everything a container will see of the host's, its volumes made. Names of volumes made
    /// here that nobody named go to `made`: they go again when the container cannot be.
    ///
    /// # Errors
    /// What was asked for cannot be; the disk refuses.
    pub(super) async fn settle_mounts(
        &self,
        door: &TracedHost,
        host: &HostConfig,
        config: &Config,
        made: &mut Vec<String>,
    ) -> Result<Vec<Planned>, Error> {
        let places = config.volumes.iter().flat_map(|volumes| volumes.keys());
        let borrowed = self.borrowed(host)?;
        let mut planned = mounts::plan(host, places)?;
        // What was asked for takes the place of what is taken over, and that the image's.
        planned.retain(|mount| {
            let image = mount.anonymous && !asked(host, &mount.target);
            !(image && borrowed.iter().any(|other| other.target == mount.target))
        });
        let news: Vec<Planned> = borrowed
            .into_iter()
            .filter(|other| !planned.iter().any(|own| own.target == other.target))
            .collect();
        planned.extend(news);
        mounts::sort(&mut planned);
        for mount in planned.iter_mut().filter(|mount| mount.is_volume() && mount.source.is_empty()) {
            let mut draft = match mount.name.is_empty() {
                true => Draft::anonymous(self.made_up_name()),
                false => Draft { name: mount.name.clone(), ..Draft::default() },
            };
            draft.labels.extend(mount.labels.clone());
            draft.driver.clone_from(&mount.driver);
            draft.options.clone_from(&mount.driver_options);
            let (volume, new) = self.make_volume(door, draft).await?;
            if new && mount.anonymous {
                made.push(volume.name.clone());
            }
            mount.source = self.volumes.directory(&volume);
            mount.name = volume.name;
        }
        Ok(planned)
    }

    /// `--volumes-from`: binds and volumes of other containers.
    fn borrowed(&self, host: &HostConfig) -> Result<Vec<Planned>, Error> {
        let mut borrowed: Vec<Planned> = Vec::new();
        for text in host.volumes_from.iter().flatten() {
            let (wanted, mode) = text.split_once(':').unwrap_or((text, "rw"));
            let known = |word: &str| ["ro", "rw", "z", "Z"].contains(&word);
            if wanted.is_empty() {
                return Err(Error::Invalid("malformed 'volumes-from' specification: ".into()));
            }
            if !mode.split(',').all(known) {
                return Err(Error::Invalid(format!("invalid mode: {mode}")));
            }
            let read_only = mode.split(',').any(|word| word == "ro");
            let record = self.containers.find(wanted)?.snapshot();
            for mount in record.mounts.iter().filter(|mount| mount.kind != "tmpfs") {
                borrowed.retain(|earlier| earlier.target != mount.target);
                borrowed.push(mount.borrowed(read_only));
            }
        }
        Ok(borrowed)
    }
}

/// Whether the request itself names a place.
fn asked(host: &HostConfig, target: &str) -> bool {
    host.mounts.iter().flatten().any(|mount| mount.target.trim_end_matches('/') == target)
}
