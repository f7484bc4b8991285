//! Moves programs of this machine into an image, with all they need to start there.
//!
//! A dynamic program names its loader by an absolute path, often `/lib64/ld-linux-x86-64.so.2`.
//! The image has no `/lib64`, so the copy is told to use `/lib/ld-linux-x86-64.so.2`, and loader
//! and libraries are put into `/lib`. Loaders search `/lib` by themselves, or `/usr/lib64`, which
//! is therefore a link to it (ld.so(8)).

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::Error;
use crate::hub::elf::{self, Elf};
use crate::hub::machine::{Library, Machine};
use crate::hub::tree::{Node, Tree};

/// Libraries the C library opens by itself to look up users and hosts, so that no program lists
/// them (nsswitch.conf(5)). Taken along where they exist.
const OPENED_AT_RUN_TIME: [&str; 2] = ["libnss_files.so.2", "libnss_dns.so.2"];

/// A tree that programs are being moved into.
pub struct Transplant<'a> {
    machine: &'a Machine,
    tree: &'a mut Tree,
    /// Files already moved: a program with several names is stored once.
    places: HashMap<PathBuf, String>,
}

impl<'a> Transplant<'a> {
    /// Starts moving programs from `machine` into `tree`.
    pub fn new(machine: &'a Machine, tree: &'a mut Tree) -> Self {
        Self { machine, tree, places: HashMap::new() }
    }

    /// Puts the program at `file` to `place` in the tree, and its loader and libraries to `lib`.
    /// Programs must come in the order of their places: a second name becomes a hard link, which
    /// has to follow its file.
    ///
    /// # Errors
    /// The tree is unchanged after an error, such as a library that is nowhere to be found.
    pub fn program(&mut self, file: &Path, place: &str) -> Result<(), Error> {
        if let Some(first) = self.places.get(file) {
            let target = first.clone();
            self.tree.insert(place, Node::Hardlink { target });
            return Ok(());
        }
        let mut content = read(file)?;
        if !content.starts_with(b"#!/bin/sh\n") && !content.starts_with(b"#! /bin/sh\n") {
            let elf = parse(file, &content)?;
            // Everything that can fail comes before the first change to the tree.
            let needs = self.needs(file, &elf)?;
            if let Some(loader) = elf.loader().and_then(file_name) {
                elf.set_loader(&mut content, &format!("/lib/{loader}"))
                    .map_err(|source| Error::Elf { path: file.to_owned(), source })?;
            }
            self.install(needs);
        }
        self.tree.insert(place, executable(content));
        self.places.insert(file.to_owned(), place.to_owned());
        Ok(())
    }

    /// The files for `lib` that the image does not have yet: the loader, and libraries however
    /// far down they are needed.
    fn needs(&self, file: &Path, elf: &Elf) -> Result<HashMap<String, Vec<u8>>, Error> {
        let mut needs = HashMap::new();
        let Some(loader) = elf.loader() else {
            return Ok(needs);
        };
        let mut users = vec![(file.to_owned(), elf.clone())];
        let name = file_name(loader).unwrap_or(loader);
        if !self.has(name) {
            needs.insert(name.to_owned(), read(&self.machine.resolve(loader))?);
            users.extend(self.opened_at_run_time(file, elf, &mut needs));
        }
        while let Some((user, elf)) = users.pop() {
            for name in &elf.needed {
                if needs.contains_key(name) || self.has(name) {
                    continue;
                }
                let found = self.machine.library(name, &user, &elf);
                let Library { path, content, elf } =
                    found.ok_or_else(|| Error::Library { library: name.clone(), user: user.clone() })?;
                needs.insert(name.clone(), content);
                users.push((path, elf));
            }
        }
        Ok(needs)
    }

    /// The libraries no program lists, as further users of libraries.
    fn opened_at_run_time(
        &self,
        user: &Path,
        elf: &Elf,
        needs: &mut HashMap<String, Vec<u8>>,
    ) -> Vec<(PathBuf, Elf)> {
        let mut users = Vec::new();
        for name in OPENED_AT_RUN_TIME {
            if let Some(found) = self.machine.library(name, user, elf) {
                needs.insert(name.to_owned(), found.content);
                users.push((found.path, found.elf));
            }
        }
        users
    }

    fn has(&self, library: &str) -> bool {
        self.tree.get(&format!("lib/{library}")).is_some()
    }

    fn install(&mut self, needs: HashMap<String, Vec<u8>>) {
        if !needs.is_empty() {
            self.tree.insert("usr/lib64", Node::Symlink { target: "../lib".into() });
        }
        for (name, content) in needs {
            self.tree.insert(&format!("lib/{name}"), executable(content));
        }
    }
}

fn executable(content: Vec<u8>) -> Node {
    Node::File { mode: 0o755, content: Bytes::from(content) }
}

fn file_name(path: &str) -> Option<&str> {
    path.rsplit('/').next().filter(|name| !name.is_empty())
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    fs::read(path).map_err(|source| Error::Read { path: path.to_owned(), source })
}

pub(super) fn parse(path: &Path, content: &[u8]) -> Result<Elf, Error> {
    Elf::parse(content).map_err(|source: elf::Error| Error::Elf { path: path.to_owned(), source })
}
