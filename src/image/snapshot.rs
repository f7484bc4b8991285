//! A container's root file system: an image's layers under an empty writable one.
//!
//! overlayfs takes its layers as one comma-separated line, and mount(2) takes at most one page of
//! it. A layer's path is about ninety bytes, so after some forty layers the line would be too
//! long; then each layer gets a short second name, a symbolic link `ROOT/l/<12 hex digits>`, as
//! Docker does. Where even that is too long, or overlayfs is missing, the layers are copied.

use super::digest;
use super::store::{Layer, Store};
use crate::kernel::{Machine, OpError, TracedHost};
use crate::op::FsOp;
use crate::trace::{Note, Scope, facts};

/// mount(2) copies one page of options, the closing zero included.
const OPTIONS_LIMIT: usize = 4095;

/// What a container's root file system is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// Mount point, which is made when something is mounted on it, or the copied tree itself.
    pub rootfs: String,
    /// Options of the overlay init mounts on it; `None` when the tree was copied.
    pub overlay: Option<String>,
}

/// Where a container's files go.
#[derive(Clone, Copy, Debug)]
pub struct Places<'a> {
    /// Its directory, which outlives a boot.
    pub container: &'a str,
    /// Where its overlay will be mounted.
    pub mount_point: &'a str,
}

/// Prepares a container's directory, about which the scope is opened.
///
/// # Errors
/// When a directory cannot be made or a tree not be copied. What was made is the caller's to
/// remove: it is all inside the container's directory.
pub async fn prepare(
    door: &TracedHost,
    store: &Store,
    machine: &Machine,
    layers: &[Layer],
    Places { container, mount_point }: Places<'_>,
    about: &str,
) -> Result<Snapshot, OpError> {
    door.within(Scope::SnapshotPrepare, about, async |door: TracedHost| {
        let planned =
            if machine.overlay { plan(store, machine, layers, container) } else { Err("no overlayfs") };
        let options = match planned {
            Ok(options) => options,
            Err(reason) => {
                let rootfs = format!("{container}/rootfs");
                make(&door, &rootfs).await?;
                copy(&door, store, layers, &rootfs, reason).await?;
                return Ok(Snapshot { rootfs, overlay: None });
            }
        };
        let (upper, work) = (format!("{container}/upper"), format!("{container}/work"));
        make(&door, &upper).await?;
        make(&door, &work).await?;
        if layers.is_empty() {
            make(&door, &format!("{container}/lower")).await?;
        }
        if options.linked {
            link(&door, store, layers).await?;
        }
        door.note(
            Note::Overlay,
            facts([("lower", &options.lower), ("upper", &upper), ("work", &work), ("layers", &layers.len())]),
        );
        Ok(Snapshot { rootfs: mount_point.to_owned(), overlay: Some(options.line) })
    })
    .await
}

struct Options {
    line: String,
    lower: String,
    linked: bool,
}

/// Under which path a layer is named in the options.
type PathOf<'a> = &'a dyn Fn(&Layer) -> String;

/// The overlay's options, by the layers' own names if they fit, else by their short ones.
fn plan(
    store: &Store,
    machine: &Machine,
    layers: &[Layer],
    container: &str,
) -> Result<Options, &'static str> {
    let line = |lower: &str| {
        let escaped = escape(container);
        // Without privileges overlayfs keeps its marks in `user.*` attributes.
        let marks = if machine.unprivileged() { ",userxattr" } else { "" };
        format!("lowerdir={lower},upperdir={escaped}/upper,workdir={escaped}/work{marks}")
    };
    // overlayfs wants the uppermost first; an image lists the lowest first.
    let stack = |path: PathOf<'_>| {
        let paths: Vec<String> = layers.iter().rev().map(|layer| escape(&path(layer))).collect();
        paths.join(":")
    };
    if layers.is_empty() {
        let lower = escape(&format!("{container}/lower"));
        return Ok(Options { line: line(&lower), lower, linked: false });
    }
    let names: [(bool, PathOf<'_>); 2] = [
        (false, &|layer| store.layer_path(&layer.diff_id)),
        (true, &|layer| short_path(store, &layer.diff_id)),
    ];
    names
        .iter()
        .map(|(linked, path)| (*linked, stack(path)))
        .map(|(linked, lower)| Options { line: line(&lower), lower, linked })
        .find(|options| options.line.len() <= OPTIONS_LIMIT)
        .ok_or("the options of the overlay do not fit into one page")
}

fn short_path(store: &Store, diff_id: &str) -> String {
    format!("{}/l/{}", store.root(), digest::short(diff_id))
}

/// Makes the short names that are missing. They are never wrong: a layer's directory is named by
/// what is in it.
async fn link(door: &TracedHost, store: &Store, layers: &[Layer]) -> Result<(), OpError> {
    let directory = format!("{}/l", store.root());
    make(door, &directory).await?;
    let mut there = door.host().list(&directory).unwrap_or_default();
    for layer in layers {
        let name = digest::short(&layer.diff_id).to_owned();
        if there.contains(&name) {
            continue;
        }
        let target = format!("../layers/{}", digest::hex(&layer.diff_id));
        door.perform(FsOp::Symlink { target, path: short_path(store, &layer.diff_id) }).await?;
        there.push(name);
    }
    Ok(())
}

/// Lays the layers over each other in one tree, lowest first.
async fn copy(
    door: &TracedHost,
    store: &Store,
    layers: &[Layer],
    rootfs: &str,
    reason: &str,
) -> Result<(), OpError> {
    for layer in layers {
        let from = store.layer_path(&layer.diff_id);
        door.perform(FsOp::CopyTree { from, to: rootfs.to_owned() }).await?;
    }
    let bytes: u64 = layers.iter().map(|layer| layer.unpacked).sum();
    door.note(Note::PlainCopy, facts([("reason", &reason), ("bytes", &bytes)]));
    Ok(())
}

async fn make(door: &TracedHost, path: &str) -> Result<(), OpError> {
    door.perform(FsOp::CreateDirectory { path: path.to_owned(), mode: 0o755 }).await?;
    Ok(())
}

/// In overlayfs options a colon parts layers and a comma parts options.
fn escape(path: &str) -> String {
    path.replace('\\', "\\\\").replace(':', "\\:").replace(',', "\\,")
}
