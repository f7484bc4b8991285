//! The OCI bundle: `config.json` and the files mounted over the image's.

use super::create::is_missing;
use super::{Engine, Error};
use crate::container::{Record, merged, mounts, spec, user};
use crate::kernel::{Payload, TracedHost};
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
                ("hosts", hosts(record, || read_text(&door, "/etc/hosts"))),
                ("resolv.conf", resolv_conf(record, || read_text(&door, "/etc/resolv.conf"))),
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
    fn resolve_user(&self, door: &TracedHost, record: &Record) -> Result<user::User, Error> {
        let passwd = self.read_in_image(door, record, "/etc/passwd")?;
        let group = self.read_in_image(door, record, "/etc/group")?;
        let extra = record.host_config.group_add.clone().unwrap_or_default();
        Ok(user::resolve(&record.config.user, &extra, &passwd, &group)?)
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

fn preview(text: &str) -> String {
    let mut lines = text.lines();
    match (lines.next(), lines.next()) {
        (Some(first), Some(_)) => format!("{first}…"),
        (first, _) => first.unwrap_or_default().to_owned(),
    }
}

/// hosts(5): loopback, then what was asked for. With the host's network the host's own file.
fn hosts(record: &Record, of_host: impl Fn() -> String) -> String {
    let host = &record.host_config;
    let mut text = if host.network_mode == "host" {
        of_host()
    } else {
        "127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\nfe00::\tip6-localnet\n\
         ff00::\tip6-mcastprefix\nff02::1\tip6-allnodes\nff02::2\tip6-allrouters\n"
            .to_owned()
    };
    for entry in host.extra_hosts.iter().flatten() {
        if let Some((name, address)) = entry.split_once([':', '=']) {
            text.push_str(&format!("{address}\t{name}\n"));
        }
    }
    text
}

/// resolv.conf(5): what was asked for over what the host has. A resolver on the host's loopback is
/// out of reach from another network namespace, so it is left out there.
fn resolv_conf(record: &Record, of_host: impl Fn() -> String) -> String {
    let config = &record.host_config;
    let shared = config.network_mode == "host";
    let inherited = of_host();
    let mut text = String::new();
    for line in inherited.lines() {
        let mut words = line.split_whitespace();
        let (key, value) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let replaced = match key {
            "nameserver" => !config.dns.is_empty() || (!shared && is_loopback(value)),
            "search" | "domain" => !config.dns_search.is_empty(),
            "options" => !config.dns_options.is_empty(),
            _ => true,
        };
        if !replaced {
            text.push_str(line);
            text.push('\n');
        }
    }
    for server in &config.dns {
        text.push_str(&format!("nameserver {server}\n"));
    }
    if config.dns_search.iter().any(|domain| domain != ".") {
        text.push_str(&format!("search {}\n", config.dns_search.join(" ")));
    }
    if !config.dns_options.is_empty() {
        text.push_str(&format!("options {}\n", config.dns_options.join(" ")));
    }
    text
}

fn is_loopback(address: &str) -> bool {
    address.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}
