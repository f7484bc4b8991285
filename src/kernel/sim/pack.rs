//! A container's writable layer as an image's layer, on the modelled machine.

use super::archive::add;
use super::host::SimHost;
use super::jail::fault;
use super::layer;
use super::tree::{Content, Node};
use super::walk::Last;
use super::world::{DAEMON, World, lock};
use crate::error::Kind;
use crate::kernel::tree::TreeWork;
use crate::kernel::{Fault, Outcome, Payload, Unpacked, Value};
use crate::trace::facts;
use bytes::Bytes;
use nix::errno::Errno;
use std::io::Read;

impl SimHost {
    pub(super) fn pack_layer(&self, directory: &str, blob: &str, payload: Payload) -> Result<Outcome, Fault> {
        let Payload::Tree(TreeWork::Pack(empty)) = payload else {
            return Err(Fault::new(Kind::Internal, "store.pack-layer came without its list"));
        };
        let mut world = lock(&self.world);
        let mut builder = tar::Builder::new(Vec::new());
        let mut entries = 0;
        pack_layer(&world, directory, "", &empty, &mut builder, &mut entries)?;
        let tar = builder.into_inner()?;
        let mut compressed = Vec::new();
        flate2::bufread::GzEncoder::new(tar.as_slice(), flate2::Compression::fast())
            .read_to_end(&mut compressed)?;
        let packed = Unpacked {
            digest: layer::digest(&compressed),
            size: compressed.len() as u64,
            diff_id: layer::digest(&tar),
            inflated: tar.len() as u64,
            entries,
        };
        world.write(DAEMON, blob, compressed.into()).map_err(fault)?;
        let facts = facts([
            ("digest", &packed.digest),
            ("size", &packed.size),
            ("diff-id", &packed.diff_id),
            ("inflated", &packed.inflated),
            ("entries", &packed.entries),
        ]);
        Ok(Outcome { facts, value: Value::Unpacked(packed) })
    }
}

/// A writable layer as an image's: overlayfs's marks become whiteouts.
fn pack_layer(
    world: &World,
    directory: &str,
    inside: &str,
    empty: &[String],
    builder: &mut tar::Builder<Vec<u8>>,
    entries: &mut u64,
) -> Result<(), Fault> {
    let mark = |builder: &mut tar::Builder<Vec<u8>>, name: String| {
        let node = Node::file(Bytes::new(), 0);
        add(builder, &name, &node)
    };
    let here = format!("{directory}{inside}");
    let at = world.resolve(DAEMON, &here, Last::Keep).map_err(fault)?;
    if !inside.is_empty() && super::overlay::is_opaque(world.node(at).map_err(fault)?) {
        mark(builder, format!("{}/.wh..wh..opq", &inside[1..]))?;
        *entries += 1;
    }
    for name in world.list(DAEMON, &here).map_err(fault)? {
        let whole = format!("{inside}/{name}");
        let at = world.resolve(DAEMON, &format!("{directory}{whole}"), Last::Keep).map_err(fault)?;
        let node = world.node(at).map_err(fault)?;
        if is_left_out(world, directory, &whole, empty).map_err(fault)? {
            continue;
        }
        *entries += 1;
        if node.is_whiteout() {
            mark(
                builder,
                format!("{}/.wh.{name}", inside.trim_start_matches('/')).trim_start_matches('/').to_owned(),
            )?;
            continue;
        }
        add(builder, &whole[1..], node)?;
        if node.is_directory() {
            pack_layer(world, directory, &whole, empty, builder, entries)?;
        }
    }
    Ok(())
}

fn is_left_out(world: &World, directory: &str, path: &str, empty: &[String]) -> Result<bool, Errno> {
    let at = world.resolve(DAEMON, &format!("{directory}{path}"), Last::Keep)?;
    let node = world.node(at)?;
    let is_point = empty.iter().any(|point| point == path);
    let leads = empty.iter().any(|point| point.strip_prefix(path).is_some_and(|rest| rest.starts_with('/')));
    match &node.content {
        Content::File(bytes) => Ok(is_point && bytes.is_empty()),
        Content::Symlink(_) => Ok(is_point),
        Content::Directory { .. } if is_point || leads => {
            for name in world.list(DAEMON, &format!("{directory}{path}"))? {
                if !is_left_out(world, directory, &format!("{path}/{name}"), empty)? {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        _ => Ok(false),
    }
}
