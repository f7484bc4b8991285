//! What the cases share, made when first asked for.

use crate::alpine::Alpine;
use crate::layers::Image;
use crate::learn::Learn;
use crate::peer::{DockerEngine, DockerRegistry, find};
use crate::podman::Podman;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use std::cell::OnceCell;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// Servers, stores and files of this run. Dropping it ends and removes them.
pub struct World {
    full: bool,
    learn: OnceCell<Learn>,
    docker: OnceCell<DockerEngine>,
    podman: OnceCell<Podman>,
    registry: OnceCell<DockerRegistry>,
    alpine: OnceCell<Alpine>,
    image: OnceCell<Image>,
    // Last, after the servers that have their files in it.
    run: Run,
    scratch: TempDir,
}

impl World {
    /// An empty one. `full`: with the large image.
    ///
    /// # Errors
    /// When no temporary directory can be made.
    pub fn new(full: bool) -> io::Result<World> {
        let scratch = tempfile::Builder::new().prefix("learn-peers.").tempdir()?;
        Ok(World {
            full,
            run: Run::mount(&scratch.path().join("run"))?,
            learn: OnceCell::new(),
            docker: OnceCell::new(),
            podman: OnceCell::new(),
            registry: OnceCell::new(),
            alpine: OnceCell::new(),
            image: OnceCell::new(),
            scratch,
        })
    }

    /// Peers that are left out, and what they would need.
    pub fn absent(&self) -> Vec<(&'static str, &'static str)> {
        let lack = |name| if find(name).is_none() { Some(name) } else { None };
        [
            ("docker", DockerEngine::missing()),
            ("podman", Podman::missing()),
            ("crun", lack("crun")),
            ("runc", lack("runc")),
        ]
        .into_iter()
        .filter_map(|(peer, lack)| Some((peer, lack?)))
        .collect()
    }

    /// Whether the large image is asked for.
    pub fn is_full(&self) -> bool {
        self.full
    }

    /// Where a case may put files.
    pub fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// Every engine's `/run`: a tmpfs, as on any machine.
    pub fn run(&self) -> &Path {
        &self.run.0
    }

    /// Our daemon, with alpine.
    ///
    /// # Errors
    /// When it does not start.
    pub fn learn(&self) -> io::Result<&Learn> {
        once(&self.learn, || Learn::start(self.scratch(), self.run()))
    }

    /// A Docker Engine with alpine, where one is installed.
    ///
    /// # Errors
    /// When it does not start.
    pub fn docker(&self) -> io::Result<Option<&DockerEngine>> {
        if DockerEngine::missing().is_some() {
            return Ok(None);
        }
        once(&self.docker, || {
            let engine =
                DockerEngine::start_in(tempfile::tempdir_in(self.scratch())?, &self.run().join("docker"))?;
            engine.import(&self.alpine()?.tar, "alpine")?;
            Ok(engine)
        })
        .map(Some)
    }

    /// podman with alpine, where it is installed.
    ///
    /// # Errors
    /// When it does not work.
    pub fn podman(&self) -> io::Result<Option<&Podman>> {
        if Podman::missing().is_some() {
            return Ok(None);
        }
        once(&self.podman, || Podman::new(self.scratch(), self.run(), &self.alpine()?.tar)).map(Some)
    }

    /// A registry on loopback.
    ///
    /// # Errors
    /// When Debian's docker-registry is missing or does not start.
    pub fn registry(&self) -> io::Result<&DockerRegistry> {
        match DockerRegistry::missing() {
            Some(lack) => Err(io::Error::other(format!("no {lack}"))),
            None => once(&self.registry, DockerRegistry::start),
        }
    }

    /// alpine as files.
    ///
    /// # Errors
    /// When it cannot be made here.
    pub fn alpine(&self) -> io::Result<&Alpine> {
        once(&self.alpine, || Alpine::make(self.scratch()))
    }

    /// The image for pulls.
    ///
    /// # Errors
    /// When it cannot be made here.
    pub fn image(&self) -> io::Result<&Image> {
        once(&self.image, || Image::make(self.scratch(), self.full))
    }
}

/// A tmpfs in the mount namespace of this run.
struct Run(PathBuf);

impl Run {
    fn mount(path: &Path) -> io::Result<Run> {
        std::fs::create_dir(path)?;
        let (none, data) = (MsFlags::MS_NOSUID | MsFlags::MS_NODEV, Some("mode=755"));
        mount(Some("tmpfs"), path, Some("tmpfs"), none, data)?;
        Ok(Run(path.to_owned()))
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // What stays is gone with the namespace.
        let _ = umount2(&self.0, MntFlags::MNT_DETACH);
    }
}

fn once<T>(cell: &OnceCell<T>, make: impl FnOnce() -> io::Result<T>) -> io::Result<&T> {
    match cell.get() {
        Some(made) => Ok(made),
        None => {
            let made = make()?;
            Ok(cell.get_or_init(|| made))
        }
    }
}
