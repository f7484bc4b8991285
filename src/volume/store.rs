//! Which volumes there are.

use super::{ANONYMOUS, Error, LOCAL, Volume, check_name};
use crate::kernel::{Payload, TracedHost};
use crate::op::{FsOp, Op, WriteReason};
use crate::trace::Scope;
use std::collections::BTreeMap;
use std::io;
use std::sync::{Mutex, MutexGuard};

/// What a volume is asked for with.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Empty for a made-up one.
    pub name: String,
    /// Empty for `local`.
    pub driver: String,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Options of the driver.
    pub options: BTreeMap<String, String>,
}

/// The volumes of one engine.
#[derive(Debug)]
pub struct Volumes {
    root: String,
    all: Mutex<BTreeMap<String, Volume>>,
    /// Whoever makes a container of a volume reads, whoever removes one writes: nothing is removed
    /// that a container is about to use.
    pub turn: tokio::sync::RwLock<()>,
    /// One volume of a name is made at a time.
    making: tokio::sync::Mutex<()>,
}

impl Volumes {
    /// Volumes below `root`, none known yet.
    pub fn new(root: &str) -> Volumes {
        Volumes {
            root: format!("{root}/volumes"),
            all: Mutex::default(),
            turn: tokio::sync::RwLock::default(),
            making: tokio::sync::Mutex::default(),
        }
    }

    /// Reads the records; what a killed daemon left half made or half removed goes.
    ///
    /// # Errors
    /// A damaged record: nothing is guessed, nothing removed.
    pub async fn open(&self, door: &TracedHost) -> Result<(), Error> {
        let mut found = BTreeMap::new();
        for name in door.host().list(&self.root).unwrap_or_default() {
            let directory = format!("{}/{name}", self.root);
            let path = format!("{directory}/volume.json");
            let bytes = match door.host().read(&path) {
                Ok(bytes) if !name.starts_with('.') => bytes,
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Error::Record { path, reason: error.to_string() });
                }
                _ => {
                    door.perform(FsOp::RemoveTree { path: directory }).await?;
                    continue;
                }
            };
            let volume: Volume = serde_json::from_slice(&bytes)
                .map_err(|error| Error::Record { path, reason: error.to_string() })?;
            found.insert(name, volume);
        }
        *self.all() = found;
        Ok(())
    }

    /// Every volume, by name.
    pub fn list(&self) -> Vec<Volume> {
        self.all().values().cloned().collect()
    }

    /// One volume.
    ///
    /// # Errors
    /// [`Error::Missing`].
    pub fn get(&self, name: &str) -> Result<Volume, Error> {
        self.all().get(name).cloned().ok_or_else(|| Error::Missing(name.to_owned()))
    }

    /// What containers see: the volume's own directory, or the one that stands in for it.
    pub fn directory(&self, volume: &Volume) -> String {
        volume.device().map_or_else(|| self.mountpoint(&volume.name), str::to_owned)
    }

    /// The volume's own directory.
    pub fn mountpoint(&self, name: &str) -> String {
        format!("{}/{name}/_data", self.root)
    }

    /// Makes a volume, or gives the one of this name; whether it is new.
    ///
    /// # Errors
    /// A name or an option that is none; another driver; the disk refuses, and nothing is left.
    pub async fn make(&self, door: &TracedHost, draft: Draft, now: String) -> Result<(Volume, bool), Error> {
        let Draft { name, driver, labels, options } = draft;
        if !matches!(driver.as_str(), "" | LOCAL) {
            return Err(Error::Driver { name, driver });
        }
        check_name(&name)?;
        let _one = self.making.lock().await;
        if let Ok(known) = self.get(&name) {
            return Ok((known, false));
        }
        check_options(&name, &options)?;
        let volume = Volume { name: name.clone(), created: now, labels, options };
        door.within(Scope::VolumeCreate, name.clone(), async |door: TracedHost| {
            self.write(&door, &volume).await
        })
        .await?;
        self.all().insert(name, volume.clone());
        Ok((volume, true))
    }

    /// The directory first, the record last: a directory without one never was a volume.
    async fn write(&self, door: &TracedHost, volume: &Volume) -> Result<(), Error> {
        let directory = format!("{}/{}", self.root, volume.name);
        let make = FsOp::CreateDirectory { path: directory.clone(), mode: 0o701 };
        let done: Vec<Op> = vec![make.clone().into()];
        let result = async {
            door.perform(make).await?;
            let data = FsOp::CreateDirectory { path: self.mountpoint(&volume.name), mode: 0o755 };
            door.perform(data).await?;
            let mut json = serde_json::to_vec_pretty(volume).unwrap_or_default();
            json.push(b'\n');
            let path = format!("{directory}/volume.json");
            let value = format!("{{\"name\":\"{}\"…", volume.name);
            let write = FsOp::WriteFile { path, value, why: WriteReason::Store };
            door.perform_with(write, Payload::Bytes(json.into())).await?;
            Ok(())
        };
        if let Err(error) = result.await {
            // What cannot be undone is in the trace, and swept at the next start.
            let _ = door.roll_back(done, &volume.name).await;
            return Err(error);
        }
        Ok(())
    }

    /// Removes a volume nobody uses; the caller holds the turn and knows that.
    ///
    /// # Errors
    /// The disk refuses; the rest goes at the next start.
    pub async fn remove(&self, door: &TracedHost, name: &str) -> Result<(), Error> {
        self.get(name)?;
        door.within(Scope::VolumeRemove, name, async |door: TracedHost| {
            let gone = format!("{}/.removing-{name}", self.root);
            // Left by an earlier attempt that the disk refused.
            door.perform(FsOp::RemoveTree { path: gone.clone() }).await?;
            door.perform(FsOp::Rename { from: format!("{}/{name}", self.root), to: gone.clone() }).await?;
            self.all().remove(name);
            door.perform(FsOp::RemoveTree { path: gone }).await?;
            Ok(())
        })
        .await
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<String, Volume>> {
        self.all.lock().unwrap_or_else(|poison| poison.into_inner())
    }
}

/// The local driver mounts what its options name. Nothing is mounted on the host here, so only a
/// bind can be: the container binds it itself.
fn check_options(name: &str, options: &BTreeMap<String, String>) -> Result<(), Error> {
    let name = name.to_owned();
    if let Some(option) = options.keys().find(|key| !["type", "o", "device", "size"].contains(&key.as_str()))
    {
        return Err(Error::Option { name, option: option.clone() });
    }
    if options.is_empty() {
        return Ok(());
    }
    let text = |key: &str| options.get(key).map_or("", String::as_str);
    if let Some(size) = options.get("size") {
        return Err(Error::Unsupported { name, option: format!("size={size}") });
    }
    if text("device").is_empty() {
        return Err(Error::Required { name, option: "device" });
    }
    if !matches!(text("type"), "" | "none") {
        return Err(Error::Unsupported { name, option: format!("type={}", text("type")) });
    }
    match text("o") {
        "bind" | "rbind" => Ok(()),
        other => Err(Error::Unsupported { name, option: format!("o={other}") }),
    }
}

impl Draft {
    /// A volume nobody names.
    pub fn anonymous(name: String) -> Draft {
        let labels = [(ANONYMOUS.to_owned(), String::new())].into();
        Draft { name, labels, ..Draft::default() }
    }
}
