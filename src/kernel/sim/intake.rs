//! A tar written over a modelled tree that is in use.

use super::jail::fault;
use super::processes::Pid;
use super::tree::{Content, Node};
use super::walk::Last;
use super::world::World;
use crate::error::Kind;
use crate::kernel::Fault;
use crate::kernel::tree::Writing;
use nix::errno::Errno;
use std::io::Read;

impl World {
    pub(super) fn write_tar(&mut self, who: Pid, writing: &Writing, tar: &[u8]) -> Result<u64, Fault> {
        let mut plain = Vec::new();
        match tar {
            [0x1f, 0x8b, ..] => {
                flate2::bufread::MultiGzDecoder::new(tar).read_to_end(&mut plain)?;
            }
            tar => plain.extend_from_slice(tar),
        }
        let mut entries = 0;
        for entry in tar::Archive::new(plain.as_slice()).entries()? {
            let mut entry = entry?;
            let path = entry.path()?.to_string_lossy().into_owned();
            let names: Vec<&str> = path.split('/').filter(|name| !matches!(*name, "" | ".")).collect();
            if names.contains(&"..") {
                return Err(Fault::new(Kind::Invalid, format!("the name {path:?} leads out of the layer")));
            }
            if names.is_empty() {
                if writing.root {
                    self.describe_root(who, writing, &entry)?;
                }
                continue;
            }
            let target = format!("{}/{}", writing.into.trim_end_matches('/'), names.join("/"));
            self.write_entry(who, writing, &target, &mut entry)?;
            entries += 1;
        }
        Ok(entries)
    }

    fn describe_root<R: Read>(
        &mut self,
        who: Pid,
        writing: &Writing,
        entry: &tar::Entry<'_, R>,
    ) -> Result<(), Fault> {
        let header = entry.header();
        let (mode, uid, gid) =
            (header.mode()? & 0o7777, header.uid().unwrap_or(0) as u32, header.gid().unwrap_or(0) as u32);
        let at = self.resolve(who, &writing.into, Last::Follow).map_err(fault)?;
        let fs = self.mount_at(at).map_err(fault)?.fs;
        self.change(fs, at.ino, |node| (node.mode, node.uid, node.gid) = (mode, uid, gid)).map_err(fault)
    }

    fn write_entry<R: Read>(
        &mut self,
        who: Pid,
        writing: &Writing,
        target: &str,
        entry: &mut tar::Entry<'_, R>,
    ) -> Result<(), Fault> {
        let header = entry.header().clone();
        let kind = header.entry_type();
        let mode = header.mode()? & 0o7777;
        let owner =
            writing.owner.unwrap_or((header.uid().unwrap_or(0) as u32, header.gid().unwrap_or(0) as u32));
        let link = entry.link_name()?.map(|link| link.to_string_lossy().into_owned()).unwrap_or_default();
        let node = match kind {
            tar::EntryType::Directory => Node::directory(mode),
            tar::EntryType::Symlink => Node::symlink(&link),
            tar::EntryType::Fifo => Node::new(Content::Fifo, mode),
            _ => {
                let mut content = Vec::new();
                entry.read_to_end(&mut content)?;
                Node::file(content, mode)
            }
        };
        let above = target.rsplit_once('/').map_or("/", |(above, _)| above);
        if !above.is_empty() {
            self.create_directories(who, above, 0o755).map_err(fault)?;
        }
        if let Ok(at) = self.resolve(who, target, Last::Keep) {
            let was = self.node(at).map_err(fault)?.is_directory();
            let becomes = node.is_directory();
            if was != becomes && writing.keep_sorts {
                let words = ["non-directory", "directory"];
                let (old, new) = (words[usize::from(was)], words[usize::from(becomes)]);
                let message = format!("cannot overwrite {old} {target:?} with {new} {:?}", writing.into);
                return Err(Fault::new(Kind::Internal, message));
            }
            if !(was && becomes) {
                let (directory, name) = self.resolve_parent(who, target).map_err(fault)?;
                self.take_tree(who, directory, &name).map_err(fault)?;
            }
        }
        match self.create(who, target, node) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(errno) => return Err(fault(errno)),
        }
        let at = self.resolve(who, target, Last::Keep).map_err(fault)?;
        let fs = self.mount_at(at).map_err(fault)?.fs;
        self.change(fs, at.ino, |node| (node.mode, node.uid, node.gid) = (mode, owner.0, owner.1))
            .map_err(fault)
    }
}
