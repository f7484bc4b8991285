//! Where a machine keeps its programs and shared libraries.
//!
//! Libraries are looked up the way the C library's loader does it: the user's own search path,
//! `/etc/ld.so.conf`, then the built-in directories (ld.so(8)). No program is run to find out.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::elf::Elf;

/// Searched before `$PATH`, so that the result depends on the machine and not on who asks.
const PROGRAM_DIRECTORIES: [&str; 4] = ["bin", "sbin", "usr/bin", "usr/sbin"];

/// Debian's multiarch names, then the names of everybody else. A directory of another processor
/// does no harm: each library found is checked.
const LIBRARY_DIRECTORIES: [&str; 8] = [
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "lib/aarch64-linux-gnu",
    "usr/lib/aarch64-linux-gnu",
    "lib64",
    "usr/lib64",
    "lib",
    "usr/lib",
];

/// The directories of one machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    root: PathBuf,
    programs: Vec<PathBuf>,
    libraries: Vec<PathBuf>,
}

/// A shared library of the machine, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Library {
    /// Where it was found.
    pub path: PathBuf,
    /// All of it.
    pub content: Vec<u8>,
    /// What its headers say.
    pub elf: Elf,
}

impl Machine {
    /// The machine this runs on, with the caller's `$PATH` as the last places to look for programs.
    pub fn this() -> Self {
        let mut machine = Self::at(Path::new("/"));
        let path = std::env::var_os("PATH").unwrap_or_default();
        machine.programs.extend(std::env::split_paths(&path).filter(|entry| entry.is_absolute()));
        machine
    }

    /// The machine whose root directory is `root`. Symbolic links are followed as on the running
    /// one.
    pub fn at(root: &Path) -> Self {
        let mut libraries = configured(root);
        libraries.extend(LIBRARY_DIRECTORIES.map(|directory| root.join(directory)));
        Self {
            root: root.to_owned(),
            programs: PROGRAM_DIRECTORIES.map(|directory| root.join(directory)).into(),
            libraries,
        }
    }

    /// The directories searched for programs, in order.
    pub fn program_directories(&self) -> &[PathBuf] {
        &self.programs
    }

    /// The file behind the program `name`, with every symbolic link resolved.
    pub fn program(&self, name: &str) -> Option<PathBuf> {
        let executable = |path: &PathBuf| {
            fs::metadata(path).is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
        };
        let path = self.programs.iter().map(|directory| directory.join(name)).find(executable)?;
        fs::canonicalize(path).ok()
    }

    /// The file an absolute path of this machine names.
    pub fn resolve(&self, path: &str) -> PathBuf {
        self.root.join(path.trim_start_matches('/'))
    }

    /// The library `name` for the file at `user`, whose headers are `needs`: the first file of that
    /// name for the same processor.
    pub fn library(&self, name: &str, user: &Path, needs: &Elf) -> Option<Library> {
        let origin = user.parent().unwrap_or(Path::new("/")).to_string_lossy();
        let first = needs.search.iter().map(|directory| {
            let directory = directory.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            PathBuf::from(directory)
        });
        first.chain(self.libraries.iter().cloned()).find_map(|directory| {
            let path = directory.join(name);
            let content = fs::read(&path).ok()?;
            let elf = Elf::parse(&content).ok()?;
            (elf.machine == needs.machine).then_some(Library { path, content, elf })
        })
    }
}

/// The directories `/etc/ld.so.conf` lists, includes followed.
fn configured(root: &Path) -> Vec<PathBuf> {
    let mut directories = Vec::new();
    let mut seen = BTreeSet::new();
    // A stack, so that an included file's directories take the include line's place.
    let mut pending = vec![Line::Include("/etc/ld.so.conf".to_owned())];
    while let Some(line) = pending.pop() {
        match line {
            Line::Directory(directory) => directories.push(root.join(directory)),
            Line::Include(pattern) => {
                for file in matches(root, &pattern).into_iter().rev() {
                    // A file that includes itself is read once.
                    if seen.insert(file.clone()) {
                        let text = fs::read_to_string(&file).unwrap_or_default();
                        pending.extend(parse(&text).into_iter().rev());
                    }
                }
            }
        }
    }
    directories
}

#[derive(Debug, PartialEq, Eq)]
enum Line {
    /// Without its leading slash.
    Directory(String),
    /// A path whose last part may hold one `*`.
    Include(String),
}

/// The lines of an `ld.so.conf` that mean something (ldconfig(8)).
fn parse(text: &str) -> Vec<Line> {
    let meaning = |line: &str| {
        let line = line.split('#').next().unwrap_or_default().trim();
        match line.strip_prefix("include") {
            Some(pattern) if pattern.starts_with([' ', '\t']) => {
                Some(Line::Include(pattern.trim().to_owned()))
            }
            _ => line.strip_prefix('/').map(|path| Line::Directory(path.to_owned())),
        }
    };
    text.lines().filter_map(meaning).collect()
}

/// The files an include line means, sorted by name. A relative one is relative to `/etc`.
fn matches(root: &Path, pattern: &str) -> Vec<PathBuf> {
    let pattern = match pattern.strip_prefix('/') {
        Some(absolute) => root.join(absolute),
        None => root.join("etc").join(pattern),
    };
    let name = pattern.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let Some((start, end)) = name.split_once('*') else {
        return vec![pattern];
    };
    let directory = pattern.parent().unwrap_or(root);
    let mut files: Vec<PathBuf> = fs::read_dir(directory)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.strip_prefix(start).is_some_and(|rest| rest.ends_with(end))
        })
        .map(|entry| entry.path())
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loader_configuration_is_read_in_the_order_of_its_lines() {
        let root = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("etc/ld.so.conf", "# comment\n/first\ninclude ld.so.conf.d/*.conf\n/last # why\n");
        write("etc/ld.so.conf.d/b.conf", "/b\n");
        write("etc/ld.so.conf.d/a.conf", "/a\ninclude /etc/ld.so.conf\n");
        write("etc/ld.so.conf.d/c.off", "/c\n");
        let expected = ["first", "a", "b", "last"].map(|name| root.path().join(name));
        assert_eq!(configured(root.path()), expected);
    }

    #[test]
    fn a_directory_named_like_include_is_a_directory() {
        assert_eq!(parse("/include\nincludes\n"), [Line::Directory("include".into())]);
    }

    #[test]
    fn a_program_is_found_behind_its_links_and_only_if_executable() {
        let root = tempfile::tempdir().unwrap();
        let bin = root.path().join("usr/bin");
        fs::create_dir_all(&bin).unwrap();
        fs::write(bin.join("dash"), "x").unwrap();
        std::os::unix::fs::symlink("dash", bin.join("sh")).unwrap();
        let machine = Machine::at(root.path());
        fs::set_permissions(bin.join("dash"), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(machine.program("sh"), None);
        fs::set_permissions(bin.join("dash"), fs::Permissions::from_mode(0o755)).unwrap();
        assert_eq!(machine.program("sh"), Some(fs::canonicalize(bin.join("dash")).unwrap()));
    }
}
