//! The OCI bundle: `config.json` and the files mounted over the image's.

use super::create::is_missing;
use super::{Engine, Error};
use crate::container::{Record, merged, mounts, networking, spec, user};
use crate::kernel::{Host, Payload, TracedHost};
use crate::op::{FsOp, Op, WriteReason};
use crate::trace::Scope;
use std::path::PathBuf;

impl Engine {
    /// Writes the bundle; gives back what was made, for the way back.
    pub(super) async fn write_bundle(&self, door: &TracedHost, record: &Record) -> Result<Vec<Op>, Error> {
        door.within(Scope::BundleWrite, record.short_id(), |door| async move {
            let bundle = self.places.bundle(&record.id);
            let user = self.resolve_user(&door, record)?;
            let inputs = spec::Inputs { record, user: &user, machine: &self.machine, bundle: &bundle };
            let spec = spec::build(inputs)?;
            let config = serde_json::to_string_pretty(&spec).map_err(|e| Error::Invalid(e.to_string()))?;
            for mount in mounts::plan(&record.host_config)? {
                if mount.create_source && is_missing(&door, &mount.source) {
                    door.perform(FsOp::CreateDirectory { path: mount.source, mode: 0o755 }).await?;
                }
            }
            let mut make = vec![self.make_bundle(&record.id)];
            if record.snapshot.overlay.is_some() {
                make.push(FsOp::CreateDirectory { path: record.snapshot.rootfs.clone(), mode: 0o755 });
            }
            // What is in it goes with it.
            let made: Vec<Op> = vec![make[0].clone().into()];
            let files = [
                ("config.json", config),
                ("hostname", format!("{}\n", record.config.hostname)),
                ("hosts", networking::hosts(record, || read_text(&door, "/etc/hosts"))),
                ("resolv.conf", networking::resolv_conf(record, || resolvers(&door))),
            ];
            let written = async {
                for directory in make {
                    door.perform(directory).await?;
                }
                for (name, text) in files {
                    let path = format!("{bundle}/{name}");
                    let value = preview(&text);
                    let write = FsOp::WriteFile { path, value, why: WriteReason::Bundle };
                    door.perform_with(write, Payload::Bytes(text.into())).await?;
                }
                Ok::<(), Error>(())
            };
            if let Err(error) = written.await {
                // What cannot be undone is in the trace; why it began is what the client hears.
                let _ = door.roll_back(made, record.short_id()).await;
                return Err(error);
            }
            Ok(made)
        })
        .await
    }

    /// The directory of a bundle. It is made where the bundle is written, and by a container of
    /// `--rm`, whose record lies in it.
    pub(super) fn make_bundle(&self, id: &str) -> FsOp {
        FsOp::CreateDirectory { path: self.places.bundle(id), mode: 0o711 }
    }

    /// Looks the user up in the container's own files.
    pub(super) fn resolve_user(&self, door: &TracedHost, record: &Record) -> Result<user::User, Error> {
        self.resolve_user_as(door, record, "")
    }

    /// The same of another user than the container's, when one is named.
    pub(super) fn resolve_user_as(
        &self,
        door: &TracedHost,
        record: &Record,
        named: &str,
    ) -> Result<user::User, Error> {
        let wanted = if named.is_empty() { &record.config.user } else { named };
        let passwd = self.read_in_image(door, record, "/etc/passwd")?;
        let group = self.read_in_image(door, record, "/etc/group")?;
        let extra = record.host_config.group_add.clone().unwrap_or_default();
        Ok(user::resolve(wanted, &extra, &passwd, &group)?)
    }

    /// A text of the container's root file system; empty when it has no such file.
    fn read_in_image(&self, door: &TracedHost, record: &Record, path: &str) -> Result<String, Error> {
        let tree = record.tree();
        if self.simulated() {
            let found = tree.iter().find_map(|layer| door.host().read(&format!("{layer}{path}")).ok());
            return Ok(found.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default());
        }
        let layers: Vec<PathBuf> = tree.into_iter().map(PathBuf::from).collect();
        let bytes = merged::read(&layers, path)
            .map_err(|error| Error::Read { path: path.to_owned(), reason: error.to_string() })?;
        Ok(String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned())
    }
}

fn read_text(door: &TracedHost, path: &str) -> String {
    let bytes = door.host().read(path).unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The first line of a text, as records show it.
pub(super) fn preview(text: &str) -> String {
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(first), Some(_)) => format!("{first}…"),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

/// The machine's resolvers. Where systemd-resolved stands before them on loopback, those it asks.
pub(super) fn resolvers(door: &TracedHost) -> String {
    resolvers_of(door.host())
}

/// The same, for whoever has no door of a request.
pub(super) fn resolvers_of(host: &dyn Host) -> String {
    let read = |path: &str| String::from_utf8_lossy(&host.read(path).unwrap_or_default()).into_owned();
    let own = read("/etc/resolv.conf");
    if own.lines().any(|line| line.trim() == "nameserver 127.0.0.53") {
        let behind = read("/run/systemd/resolve/resolv.conf");
        if !behind.is_empty() {
            return behind;
        }
    }
    own
}
