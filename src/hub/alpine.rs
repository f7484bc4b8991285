//! A stand-in for the `alpine` image, for when Docker Hub is out of reach.
//!
//! It is laid out like the real one (the same 17 directories, the same places for programs), but
//! the programs are those of the machine that makes it: a static busybox, a dynamic busybox, or
//! the separate programs `sh`, `ls`, `cat` and so on. Its `/etc/os-release` says what it is.

mod programs;
mod transplant;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use bytes::Bytes;

use super::elf;
use super::machine::Machine;
use super::tree::{Node, Tree};
use programs::{APPLETS, PROGRAMS, REQUIRED, placed};
use transplant::{Transplant, parse, read};

/// What `ls /` shows in the real `alpine`.
pub const TOP_DIRECTORIES: [&str; 17] = [
    "bin", "dev", "etc", "home", "lib", "media", "mnt", "opt", "proc", "root", "run", "sbin", "srv", "sys",
    "tmp", "usr", "var",
];

/// Directories below the top that programs and people expect.
const INNER_DIRECTORIES: [&str; 10] = [
    "usr/bin",
    "usr/lib",
    "usr/local/bin",
    "usr/local/lib",
    "usr/sbin",
    "usr/share",
    "var/cache",
    "var/lib",
    "var/log",
    "var/spool",
];

/// Directories with a mode of their own: everyone's scratch space, and root's private home.
const MODES: [(&str, u32); 3] = [("root", 0o700), ("tmp", 0o1777), ("var/tmp", 0o1777)];

/// Files of our own. The engine adds `hosts`, `hostname` and `resolv.conf` to each container.
const FILES: [(&str, &str); 5] = [
    ("etc/group", "root:x:0:root\ntty:x:5:\nusers:x:100:\nnobody:x:65534:\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n"),
    ("etc/os-release", include_str!("alpine/os-release")),
    ("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
    ("etc/shells", "/bin/sh\n"),
];

/// Names a busybox goes by; the second one is that of the static build on Alpine Linux.
const BUSYBOX: [&str; 2] = ["busybox", "busybox.static"];

/// Where the stand-in's programs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A busybox without loader and libraries: one file and links to it.
    StaticBusybox(PathBuf),
    /// A busybox with loader and libraries.
    DynamicBusybox(PathBuf),
    /// Separate programs with their loader and libraries.
    Programs,
    /// No programs at all, only files that have their names: for the simulator, which never
    /// starts them. The same on every machine.
    Outline,
}

/// A stand-in that could not be made.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The machine has nothing to make it from.
    #[error(
        "cannot make a stand-in for alpine: this machine has no busybox, and no {missing} in \
         {searched}"
    )]
    NoPrograms {
        /// The required program that is missing.
        missing: &'static str,
        /// The directories that were searched.
        searched: String,
    },
    /// A file could not be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the kernel said.
        source: io::Error,
    },
    /// A program is of a kind that cannot be moved.
    #[error("cannot move {path} into an image: {source}")]
    Elf {
        /// The program or library.
        path: PathBuf,
        /// What is wrong with it.
        source: elf::Error,
    },
    /// A program needs a library that is not there.
    #[error("{user} needs the library {library}, which is in none of this machine's directories")]
    Library {
        /// The library's name.
        library: String,
        /// The program or library that needs it.
        user: PathBuf,
    },
    /// busybox did not tell which programs it contains.
    #[error("`{path} --list` does not list its programs: {reason}")]
    Applets {
        /// The busybox.
        path: PathBuf,
        /// What happened instead.
        reason: String,
    },
}

/// The sources `machine` offers, best first. Empty if it offers none.
pub fn sources(machine: &Machine) -> Vec<Source> {
    let found = BUSYBOX.iter().filter_map(|name| machine.program(name));
    let (mut sources, dynamic): (Vec<Source>, Vec<Source>) = found
        .filter_map(|path| {
            let elf = parse(&path, &read(&path).ok()?).ok()?;
            Some(match elf.loader() {
                None => Source::StaticBusybox(path),
                Some(_) => Source::DynamicBusybox(path),
            })
        })
        .partition(|source| matches!(source, Source::StaticBusybox(_)));
    sources.extend(dynamic);
    if REQUIRED.iter().all(|name| machine.program(name).is_some()) {
        sources.push(Source::Programs);
    }
    sources
}

/// The best source `machine` offers.
///
/// # Errors
/// [`Error::NoPrograms`].
pub fn choose(machine: &Machine) -> Result<Source, Error> {
    sources(machine).into_iter().next().ok_or_else(|| {
        let missing = REQUIRED.into_iter().find(|name| machine.program(name).is_none());
        no_programs(machine, missing.unwrap_or(REQUIRED[0]))
    })
}

/// The file system of the stand-in, with programs from `source`.
///
/// # Errors
/// A program or library cannot be read or moved. Of [`Source::Programs`], only `sh` and `ls` have
/// to succeed; others that cannot be moved are left out.
pub fn tree(source: &Source, machine: &Machine) -> Result<Tree, Error> {
    let mut tree = skeleton();
    match source {
        Source::StaticBusybox(path) | Source::DynamicBusybox(path) => {
            add_busybox(&mut tree, path, machine)?;
        }
        Source::Programs => add_programs(&mut tree, machine)?,
        Source::Outline => add_outline(&mut tree),
    }
    Ok(tree)
}

/// How the layer came about, for the image's history.
pub fn origin(source: &Source) -> &'static str {
    match source {
        Source::StaticBusybox(_) => "learn hub: alpine stand-in from this machine's static busybox",
        Source::DynamicBusybox(_) => "learn hub: alpine stand-in from this machine's busybox",
        Source::Programs => "learn hub: alpine stand-in from this machine's programs",
        Source::Outline => "learn hub: outline of alpine for the simulator",
    }
}

fn skeleton() -> Tree {
    let mut tree = Tree::default();
    for path in TOP_DIRECTORIES.iter().chain(&INNER_DIRECTORIES) {
        tree.insert(path, Node::Directory { mode: 0o755 });
    }
    for (path, mode) in MODES {
        tree.insert(path, Node::Directory { mode });
    }
    for (path, text) in FILES {
        let content = Bytes::from_static(text.as_bytes());
        tree.insert(path, Node::File { mode: 0o644, content });
    }
    tree
}

fn add_busybox(tree: &mut Tree, path: &Path, machine: &Machine) -> Result<(), Error> {
    let applets = applets(path)?;
    Transplant::new(machine, tree).program(path, "bin/busybox")?;
    for (name, place) in placed(&[PROGRAMS, APPLETS].concat()) {
        if applets.contains(name) {
            tree.insert(&place, Node::Symlink { target: "/bin/busybox".into() });
        }
    }
    Ok(())
}

/// The programs inside a busybox: every build has its own set, and only it knows.
fn applets(path: &Path) -> Result<BTreeSet<String>, Error> {
    let fail = |reason: String| Error::Applets { path: path.to_owned(), reason };
    let output = Command::new(path)
        .arg("--list")
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(output.status.to_string()));
    }
    let names = String::from_utf8_lossy(&output.stdout);
    let names: BTreeSet<String> = names.lines().map(|name| name.trim().to_owned()).collect();
    match REQUIRED.into_iter().find(|required| !names.contains(*required)) {
        Some(missing) => Err(fail(format!("{missing} is not in its list"))),
        None => Ok(names),
    }
}

fn add_programs(tree: &mut Tree, machine: &Machine) -> Result<(), Error> {
    let mut transplant = Transplant::new(machine, tree);
    for (name, place) in placed(PROGRAMS) {
        let required = REQUIRED.contains(&name);
        match machine.program(name) {
            None if required => return Err(no_programs(machine, name)),
            None => {}
            Some(path) => match transplant.program(&path, &place) {
                Err(error) if required => return Err(error),
                // Left out: the image is as good as the machine's programs allow.
                Ok(()) | Err(_) => {}
            },
        }
    }
    Ok(())
}

fn add_outline(tree: &mut Tree) {
    for (name, place) in placed(&[PROGRAMS, APPLETS].concat()) {
        // It begins as a program does, or the modelled exec would refuse it.
        let content = format!("\x7fELF {name}: a name in a simulated image, not a program\n").into();
        tree.insert(&place, Node::File { mode: 0o755, content });
    }
}

fn no_programs(machine: &Machine, missing: &'static str) -> Error {
    let directories = machine.program_directories();
    let searched: Vec<String> = directories.iter().map(|path| path.display().to_string()).collect();
    Error::NoPrograms { missing, searched: searched.join(", ") }
}
