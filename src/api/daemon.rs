//! The daemon's life: lock, probe, recover, listen, and leave without taking containers along.

use super::assembly::{Foundation, assemble};
use crate::engine::{Engine, Error as EngineError, Places, SystemSource};
use crate::error::{Classify, Hint, Kind};
use crate::hub::{self, Catalog};
use crate::image::RegistryConfig;
use crate::image::registry::Builtin;
use crate::kernel::linux::http::Http;
use crate::kernel::linux::seal::SealedExe;
use crate::kernel::linux::{self, LinuxHost, probe};
use axum::http::{HeaderMap, Method, StatusCode};
use std::fs::{self, File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio::net::UnixListener;
use tokio::signal::unix::{SignalKind, signal};

/// Groups whose members may use the socket, the first that exists.
const GROUPS: [&str; 2] = ["learn", "docker"];

/// Where a daemon keeps its state and listens.
#[derive(Clone, Debug)]
pub struct DaemonOptions {
    /// `LEARN_ROOT`.
    pub root: PathBuf,
    /// The path of `LEARN_HOST`.
    pub socket: PathBuf,
    /// Registries, mirrors, hub.
    pub registry: RegistryConfig,
}

/// Why a daemon could not start, or had to end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another daemon has this state root.
    #[error("another daemon uses {}", .0.display())]
    Locked(PathBuf),
    /// Another daemon answers on this socket.
    #[error("another daemon listens on {}", .0.display())]
    InUse(PathBuf),
    /// A stranger's directory in a place everybody can write to.
    #[error("{} belongs to user {owner}, not to user {user}", path.display())]
    Stranger {
        /// The directory.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Whose it should be.
        user: u32,
    },
    /// A file or the socket.
    #[error("{doing} {}: {source}", path.display())]
    Io {
        /// `create`, `lock`, `listen on`, ….
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The store or a container's record.
    #[error(transparent)]
    Engine(#[from] EngineError),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        match self {
            Error::Locked(_) | Error::InUse(_) => Kind::Conflict,
            Error::Stranger { .. } => Kind::Denied,
            Error::Io { .. } => Kind::Internal,
            Error::Engine(error) => error.kind(),
        }
    }

    fn hint(&self) -> Option<Hint> {
        match self {
            Error::Engine(error) => error.hint(),
            _ => None,
        }
    }
}

/// Runs a daemon until SIGTERM or SIGINT. `ready` is called when the socket listens. Containers
/// keep running afterwards: the next daemon finds them.
///
/// # Errors
/// When it cannot start, or the socket breaks.
pub async fn run(options: DaemonOptions, ready: impl FnOnce()) -> Result<(), Error> {
    let run = options.socket.parent().unwrap_or(Path::new("/")).to_owned();
    make_directory(&options.root)?;
    make_directory(&run)?;
    let _lock = lock(&options.root.join("lock"))?;
    let engine = start(&options, &run).await?;
    engine.traces().prune();
    let listener = listen(&options.socket)?;
    let pid_file = run.join("learn.pid");
    fs::write(&pid_file, format!("{}\n", std::process::id())).map_err(io_error("write", &pid_file))?;
    let broken = |source| Error::Io { doing: "wait for", path: "a signal".into(), source };
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    ready();
    // On a worker: a connection is then served by the thread that accepted it.
    let serving = tokio::spawn(super::serve(engine.clone(), listener, linux::rest));
    let result = tokio::select! {
        served = serving => served
            .unwrap_or_else(|panic| Err(io::Error::other(panic)))
            .map_err(io_error("listen on", &options.socket)),
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
    };
    // What only the next container would need must not stay behind on the machine.
    engine.tidy_networks().await;
    // Gone already is as good as removed.
    let _ = fs::remove_file(&options.socket);
    let _ = fs::remove_file(&pid_file);
    result
}

/// Probes the machine, opens the store and finds the containers of an earlier daemon.
async fn start(options: &DaemonOptions, run: &Path) -> Result<Arc<Engine>, Error> {
    let insecure = options.registry.clone();
    let http = Http::new(Arc::new(move |host: &str| insecure.is_insecure(host)));
    let program = SealedExe::of_this_program().map_err(io_error("open", Path::new("/proc/self/exe")))?;
    let host = Arc::new(LinuxHost::new(program, Box::new(http)));
    let foundation = Foundation {
        places: Places { root: options.root.display().to_string(), run: run.display().to_string() },
        machine: probe::probe(),
        host: host.clone(),
        source: Arc::new(SystemSource),
        registry: options.registry.clone(),
        builtin: builtin_hub(Catalog::builtin()),
    };
    let (engine, door) = assemble(foundation).await?;
    engine.recover(&door).await?;
    host.prepare();
    Ok(engine)
}

/// The built-in hub, started when it is first needed and kept.
pub fn builtin_hub(catalog: Catalog) -> Builtin {
    let catalog = Arc::new(catalog);
    let running: Arc<tokio::sync::Mutex<Option<hub::Hub>>> = Arc::default();
    Arc::new(move |repository, reference| {
        let (catalog, running) = (catalog.clone(), running.clone());
        Box::pin(async move {
            let asked = catalog.clone();
            let holds = tokio::task::spawn_blocking(move || {
                let target = format!("/v2/{repository}/manifests/{reference}");
                asked.answer(&Method::HEAD, &target, &HeaderMap::new()).status == StatusCode::OK
            });
            if !holds.await.unwrap_or(false) {
                return None;
            }
            let mut running = running.lock().await;
            if running.is_none() {
                *running = hub::serve(catalog).await.ok();
            }
            running.as_ref().map(|hub| hub.address().to_string())
        })
    })
}

/// A directory of ours: others may pass through, not look.
fn make_directory(path: &Path) -> Result<(), Error> {
    let failed = io_error("create", path);
    let existed = path.exists();
    fs::create_dir_all(path).map_err(&failed)?;
    if !existed {
        fs::set_permissions(path, Permissions::from_mode(0o711)).map_err(&failed)?;
    }
    let owner = fs::metadata(path).map_err(&failed)?.uid();
    let user = rustix::process::geteuid().as_raw();
    if owner != user && owner != 0 {
        return Err(Error::Stranger { path: path.to_owned(), owner, user });
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, Error> {
    let file = File::options().create(true).truncate(false).write(true).open(path);
    let file = file.map_err(io_error("open", path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(Error::Locked(path.parent().unwrap_or(path).to_owned())),
        Err(TryLockError::Error(source)) => Err(io_error("lock", path)(source)),
    }
}

/// Takes the place of a socket nobody answers on. Until its mode and group are set only the owner
/// may connect.
fn listen(path: &Path) -> Result<UnixListener, Error> {
    if std::os::unix::net::UnixStream::connect(path).is_ok() {
        return Err(Error::InUse(path.to_owned()));
    }
    // Not there is the normal case.
    let _ = fs::remove_file(path);
    let before = nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o177));
    let listener = UnixListener::bind(path);
    nix::sys::stat::umask(before);
    let listener = listener.map_err(io_error("listen on", path))?;
    if rustix::process::geteuid().is_root()
        && let Some(group) = GROUPS.iter().find_map(|name| group_id(name))
    {
        chown(path, None, Some(group)).map_err(io_error("change the group of", path))?;
    }
    fs::set_permissions(path, Permissions::from_mode(0o660)).map_err(io_error("change the mode of", path))?;
    Ok(listener)
}

fn group_id(name: &str) -> Option<u32> {
    nix::unistd::Group::from_name(name).ok().flatten().map(|group| group.gid.as_raw())
}

fn io_error(doing: &'static str, path: &Path) -> impl Fn(io::Error) -> Error + use<> {
    let path = path.to_owned();
    move |source| Error::Io { doing, path: path.clone(), source }
}
