//! Where the daemon's socket, state and configuration are: flags first, then the environment, then
//! the user's own place. Client and daemon resolve the same way, so that they meet.

use crate::wire::{Settings, settings};
use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// A socket address: `unix:///path`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(PathBuf);

impl Host {
    /// Reads `unix:///path`.
    ///
    /// # Errors
    /// For every other scheme, and for paths that are not absolute.
    pub fn parse(text: &str) -> Result<Host, Error> {
        match text.split_once("://") {
            Some(("unix", path)) if path.starts_with('/') => Ok(Host(path.into())),
            Some(("unix", _)) => Err(Error::RelativeSocket(text.to_owned())),
            Some((scheme, _)) => Err(Error::Scheme { host: text.to_owned(), scheme: scheme.to_owned() }),
            None => Err(Error::NoScheme(text.to_owned())),
        }
    }

    /// The socket's path.
    pub fn socket(&self) -> &Path {
        &self.0
    }
}

impl std::fmt::Display for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unix://{}", self.0.display())
    }
}

/// Where one engine lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paths {
    /// Its socket.
    pub host: Host,
    /// Its state directory.
    pub root: PathBuf,
    /// Its configuration file; `None` when no place can be named.
    pub config: Option<ConfigFile>,
}

/// The file a daemon is configured by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFile {
    /// Absolute.
    pub path: PathBuf,
    /// Whether it was asked for by name: then it must be there.
    pub required: bool,
}

impl ConfigFile {
    /// The file `--config` or `LEARN_CONFIG` names.
    ///
    /// # Errors
    /// When the path is empty or the current directory is gone.
    pub fn named(path: &Path) -> Result<ConfigFile, Error> {
        let absolute = std::path::absolute(path);
        let absolute = absolute.map_err(|source| Error::Directory { path: path.to_owned(), source })?;
        Ok(ConfigFile { path: absolute, required: true })
    }
}

/// Why no place can be named.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A scheme this client does not speak.
    #[error("unsupported host {host:?}: learn speaks unix:// only, not {scheme}://")]
    Scheme {
        /// What was given.
        host: String,
        /// Its scheme.
        scheme: String,
    },
    /// No scheme at all.
    #[error("unsupported host {0:?}: expected unix:///path/to/learn.sock")]
    NoScheme(String),
    /// `unix://` with a path that depends on the current directory.
    #[error("unsupported host {0:?}: the socket's path must be absolute")]
    RelativeSocket(String),
    /// Neither `XDG_DATA_HOME` nor `HOME` says where state belongs.
    #[error("no place for state: set LEARN_ROOT, XDG_DATA_HOME or HOME")]
    NoHome,
    /// The fallback directory belongs to somebody else, who could pose as the daemon.
    #[error("{} is not owned by uid {uid} or open to others: set LEARN_HOST or XDG_RUNTIME_DIR", path.display())]
    Foreign {
        /// The directory.
        path: PathBuf,
        /// The caller.
        uid: u32,
    },
    /// The directory cannot be used.
    #[error("{}: {source}", path.display())]
    Directory {
        /// The directory.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl Paths {
    /// The place flags and environment name for the calling user.
    ///
    /// # Errors
    /// When a given place is unusable or none can be named.
    pub fn find(host: Option<&str>, root: Option<&Path>) -> Result<Paths, Error> {
        let uid = nix::unistd::geteuid().as_raw();
        let variable = |name: &str| std::env::var(name).ok();
        let paths = Paths::resolve(host, root, uid, variable, Path::exists)?;
        if paths.host.socket().parent() == Some(&fallback(uid)) {
            own(&fallback(uid), uid)?;
        }
        Ok(paths)
    }

    /// The same from given settings: `variable` reads the environment, `exists` the file system.
    ///
    /// # Errors
    /// When a given place is unusable or none can be named.
    pub fn resolve(
        host: Option<&str>,
        root: Option<&Path>,
        uid: u32,
        variable: impl Fn(&str) -> Option<String>,
        exists: impl Fn(&Path) -> bool,
    ) -> Result<Paths, Error> {
        let variable = |name: &str| variable(name).filter(|value| !value.is_empty());
        let host = match host.map(str::to_owned).or_else(|| variable("LEARN_HOST")) {
            Some(host) => Host::parse(&host)?,
            None if uid == 0 => Host("/run/learn/learn.sock".into()),
            None => Host(match variable("XDG_RUNTIME_DIR").map(PathBuf::from) {
                Some(runtime) => runtime.join("learn/learn.sock"),
                None => match PathBuf::from(format!("/run/user/{uid}")) {
                    runtime if exists(&runtime) => runtime.join("learn/learn.sock"),
                    _ => fallback(uid).join("learn.sock"),
                },
            }),
        };
        let root = match root.map(Path::to_owned).or_else(|| variable("LEARN_ROOT").map(PathBuf::from)) {
            Some(root) => root,
            None if uid == 0 => "/var/lib/learn".into(),
            None => variable("XDG_DATA_HOME")
                .map(PathBuf::from)
                .or_else(|| variable("HOME").map(|home| Path::new(&home).join(".local/share")))
                .ok_or(Error::NoHome)?
                .join("learn"),
        };
        let root = std::path::absolute(&root).map_err(|source| Error::Directory { path: root, source })?;
        let config = match variable("LEARN_CONFIG") {
            Some(path) => Some(ConfigFile::named(Path::new(&path))?),
            None => own_config(uid, variable).map(|path| ConfigFile { path, required: false }),
        };
        Ok(Paths { host, root, config })
    }

    /// What the configuration says.
    ///
    /// # Errors
    /// The file cannot be read, or is malformed.
    pub fn settings(&self) -> Result<Settings, settings::Error> {
        match &self.config {
            Some(file) => Settings::load(&file.path, file.required),
            None => Ok(Settings::default()),
        }
    }

    /// Where the daemon's own words go when it was started automatically.
    pub fn log(&self) -> PathBuf {
        self.root.join("daemon.log")
    }

    /// The file that names the daemon's pid.
    pub fn pid_file(&self) -> PathBuf {
        self.host.socket().with_file_name("learn.pid")
    }
}

/// The system's file, or the user's own.
fn own_config(uid: u32, variable: impl Fn(&str) -> Option<String>) -> Option<PathBuf> {
    if uid == 0 {
        return Some("/etc/learn/config.json".into());
    }
    let own = variable("XDG_CONFIG_HOME").map(PathBuf::from);
    let own = own.or_else(|| variable("HOME").map(|home| Path::new(&home).join(".config")));
    // A relative one is no place: XDG base directory specification, "Basics".
    own.filter(|path| path.is_absolute()).map(|path| path.join("learn/config.json"))
}

/// The directory of last resort, in a place where anybody may create names.
fn fallback(uid: u32) -> PathBuf {
    format!("/tmp/learn-{uid}").into()
}

/// Makes sure the fallback directory is the caller's alone; makes it when it is missing.
fn own(path: &Path, uid: u32) -> Result<(), Error> {
    let io = |source| Error::Directory { path: path.to_owned(), source };
    match fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(io(error)),
        _ => {}
    }
    let found = fs::symlink_metadata(path).map_err(io)?;
    if found.is_dir() && found.uid() == uid && found.mode() & 0o077 == 0 {
        Ok(())
    } else {
        Err(Error::Foreign { path: path.to_owned(), uid })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(uid: u32, settings: &[(&str, &str)], runtime: bool) -> (String, String) {
        let variable =
            |name: &str| settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        let paths = Paths::resolve(None, None, uid, variable, |_| runtime).unwrap();
        (paths.host.to_string(), paths.root.display().to_string())
    }

    #[test]
    fn root_lives_in_the_system_and_others_at_home() {
        let system = ("unix:///run/learn/learn.sock".to_owned(), "/var/lib/learn".to_owned());
        assert_eq!(find(0, &[("HOME", "/root"), ("XDG_RUNTIME_DIR", "/run/user/0")], true), system);
        let at_home = ("unix:///x/learn/learn.sock".to_owned(), "/d/learn".to_owned());
        assert_eq!(find(7, &[("XDG_RUNTIME_DIR", "/x"), ("XDG_DATA_HOME", "/d")], true), at_home);
        assert_eq!(find(7, &[("HOME", "/h")], true).0, "unix:///run/user/7/learn/learn.sock");
        assert_eq!(find(7, &[("HOME", "/h")], false).0, "unix:///tmp/learn-7/learn.sock");
        assert_eq!(find(7, &[("HOME", "/h")], false).1, "/h/.local/share/learn");
    }

    #[test]
    fn the_environment_points_elsewhere() {
        let settings = [("LEARN_HOST", "unix:///a/b.sock"), ("LEARN_ROOT", "/r")];
        assert_eq!(find(0, &settings, true), ("unix:///a/b.sock".to_owned(), "/r".to_owned()));
    }

    #[test]
    fn the_configuration_is_the_systems_the_users_or_the_one_named() {
        let config = |uid, settings: &[(&str, &str)]| {
            let variable = |name: &str| {
                settings.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            };
            let file = Paths::resolve(None, Some(Path::new("/r")), uid, variable, |_| true).unwrap().config;
            file.map(|file| (file.path.display().to_string(), file.required))
        };
        let home = ("HOME", "/h");
        assert_eq!(config(0, &[home]), Some(("/etc/learn/config.json".into(), false)));
        assert_eq!(config(7, &[home]), Some(("/h/.config/learn/config.json".into(), false)));
        let own = [home, ("XDG_CONFIG_HOME", "/c")];
        assert_eq!(config(7, &own), Some(("/c/learn/config.json".into(), false)));
        assert_eq!(config(7, &[home, ("LEARN_CONFIG", "/x.json")]), Some(("/x.json".into(), true)));
        assert_eq!(config(7, &[]), None);
    }

    #[test]
    fn other_schemes_are_refused_by_name() {
        let error = Host::parse("tcp://127.0.0.1:2375").unwrap_err().to_string();
        assert_eq!(error, "unsupported host \"tcp://127.0.0.1:2375\": learn speaks unix:// only, not tcp://");
        assert!(Host::parse("/run/learn.sock").is_err());
        assert!(Host::parse("unix://relative.sock").is_err());
    }
}
