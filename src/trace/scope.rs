//! Scopes: the named pieces of work a trace is made of, and the story's six stages.

use serde::{Deserialize, Serialize};

/// A piece of work that engine or runtime opens around what it does. The serialised names are a
/// stable vocabulary: lessons and stored traces refer to them.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantArray,
)]
pub enum Scope {
    /// One API request, from its first line to its answer. About: `POST /containers/create`.
    #[serde(rename = "request.received")]
    #[strum(serialize = "request.received")]
    Request,
    /// Is the image in the local store? About: the reference.
    #[serde(rename = "image.cache.lookup")]
    #[strum(serialize = "image.cache.lookup")]
    ImageLookup,
    /// A whole pull. About: the reference.
    #[serde(rename = "image.pull")]
    #[strum(serialize = "image.pull")]
    ImagePull,
    /// Which hub answers: Docker Hub, a mirror or the built-in one. About: the registry.
    #[serde(rename = "registry.choose")]
    #[strum(serialize = "registry.choose")]
    RegistryChoose,
    /// `GET /v2/` and, when challenged, the token. About: the registry's host.
    #[serde(rename = "registry.auth")]
    #[strum(serialize = "registry.auth")]
    RegistryAuth,
    /// From a tag to the manifest for this platform. About: the reference.
    #[serde(rename = "manifest.resolve")]
    #[strum(serialize = "manifest.resolve")]
    ManifestResolve,
    /// The image's configuration. About: its digest.
    #[serde(rename = "config.fetch")]
    #[strum(serialize = "config.fetch")]
    ConfigFetch,
    /// One layer, on its way from registry to directory. About: its digest.
    #[serde(rename = "layer.fetch")]
    #[strum(serialize = "layer.fetch")]
    LayerFetch,
    /// One layer's bytes verified, inflated and unpacked while they arrive. About: its digest.
    #[serde(rename = "layer.unpack")]
    #[strum(serialize = "layer.unpack")]
    LayerUnpack,
    /// The name is bound to the image. About: the reference.
    #[serde(rename = "image.commit")]
    #[strum(serialize = "image.commit")]
    ImageCommit,
    /// A name or an image goes. About: the reference or id.
    #[serde(rename = "image.remove")]
    #[strum(serialize = "image.remove")]
    ImageRemove,
    /// A container record is made. About: its name.
    #[serde(rename = "container.create")]
    #[strum(serialize = "container.create")]
    ContainerCreate,
    /// The layers are stacked under an empty writable one. About: the container.
    #[serde(rename = "snapshot.prepare")]
    #[strum(serialize = "snapshot.prepare")]
    SnapshotPrepare,
    /// Container and image configuration become an OCI runtime bundle. About: the container.
    #[serde(rename = "bundle.write")]
    #[strum(serialize = "bundle.write")]
    BundleWrite,
    /// A client's streams are tied to the container's. About: the container.
    #[serde(rename = "container.attach")]
    #[strum(serialize = "container.attach")]
    ContainerAttach,
    /// A client waits for the exit code. About: the container.
    #[serde(rename = "container.wait")]
    #[strum(serialize = "container.wait")]
    ContainerWait,
    /// A container gets a network namespace, and in it a place in each of its networks. About:
    /// the container.
    #[serde(rename = "network.connect")]
    #[strum(serialize = "network.connect")]
    NetworkConnect,
    /// A network's bridge is made. About: the network's name.
    #[serde(rename = "network.create")]
    #[strum(serialize = "network.create")]
    NetworkCreate,
    /// A container's networks are let go of. About: the container.
    #[serde(rename = "network.release")]
    #[strum(serialize = "network.release")]
    NetworkRelease,
    /// A network goes. About: its name.
    #[serde(rename = "network.remove")]
    #[strum(serialize = "network.remove")]
    NetworkRemove,
    /// Ports of the host are taken, or handed to whoever carries what comes in. About: the
    /// container.
    #[serde(rename = "ports.publish")]
    #[strum(serialize = "ports.publish")]
    PortsPublish,
    /// From Created to Running. About: the container.
    #[serde(rename = "container.start")]
    #[strum(serialize = "container.start")]
    ContainerStart,
    /// The small parent process that stays with the container. About: the container.
    #[serde(rename = "shim.spawn")]
    #[strum(serialize = "shim.spawn")]
    ShimSpawn,
    /// Control groups made and their limits written. About: the group's path.
    #[serde(rename = "limits.apply")]
    #[strum(serialize = "limits.apply")]
    LimitsApply,
    /// The first process is born in new namespaces. About: the container.
    #[serde(rename = "namespaces.enter")]
    #[strum(serialize = "namespaces.enter")]
    NamespacesEnter,
    /// A further process is born in the namespaces of a running container. About: the pid of its
    /// first process.
    #[serde(rename = "namespaces.join")]
    #[strum(serialize = "namespaces.join")]
    NamespacesJoin,
    /// The container's process joins its control groups. About: the pid.
    #[serde(rename = "limits.join")]
    #[strum(serialize = "limits.join")]
    LimitsJoin,
    /// The root file system is mounted. About: the bundle's root.
    #[serde(rename = "rootfs.mount")]
    #[strum(serialize = "rootfs.mount")]
    RootfsMount,
    /// /proc, /dev, /sys and the generated files. About: the bundle's root.
    #[serde(rename = "rootfs.furnish")]
    #[strum(serialize = "rootfs.furnish")]
    RootfsFurnish,
    /// The new root takes the old one's place. About: the bundle's root.
    #[serde(rename = "rootfs.pivot")]
    #[strum(serialize = "rootfs.pivot")]
    RootfsPivot,
    /// Kernel paths hidden or made read-only. About: the container.
    #[serde(rename = "rootfs.protect")]
    #[strum(serialize = "rootfs.protect")]
    RootfsProtect,
    /// The program gets a terminal. About: where it finds it.
    #[serde(rename = "terminal.open")]
    #[strum(serialize = "terminal.open")]
    TerminalOpen,
    /// Host name and network interfaces. About: the host name.
    #[serde(rename = "identity.set")]
    #[strum(serialize = "identity.set")]
    IdentitySet,
    /// Limits, capabilities, user, no-new-privileges. About: the user.
    #[serde(rename = "guard.apply")]
    #[strum(serialize = "guard.apply")]
    GuardApply,
    /// A small init stays as PID 1. About: the name it shows.
    #[serde(rename = "init.supervise")]
    #[strum(serialize = "init.supervise")]
    InitSupervise,
    /// The program takes over the process. About: its command line.
    #[serde(rename = "process.exec")]
    #[strum(serialize = "process.exec")]
    ProcessExec,
    /// A further program for a running container is noted. About: the container.
    #[serde(rename = "exec.create")]
    #[strum(serialize = "exec.create")]
    ExecCreate,
    /// It is started. About: the exec's id.
    #[serde(rename = "exec.start")]
    #[strum(serialize = "exec.start")]
    ExecStart,
    /// It ended. About: the exec's id.
    #[serde(rename = "exec.exit")]
    #[strum(serialize = "exec.exit")]
    ExecExit,
    /// The container's processes are listed. About: the container.
    #[serde(rename = "container.top")]
    #[strum(serialize = "container.top")]
    ContainerTop,
    /// The program ended. About: the container.
    #[serde(rename = "container.exit")]
    #[strum(serialize = "container.exit")]
    ContainerExit,
    /// Stop signal, patience, SIGKILL. About: the container.
    #[serde(rename = "container.stop")]
    #[strum(serialize = "container.stop")]
    ContainerStop,
    /// One signal, at once. About: the container.
    #[serde(rename = "container.kill")]
    #[strum(serialize = "container.kill")]
    ContainerKill,
    /// The stop, then the start of the same container. About: the container.
    #[serde(rename = "container.restart")]
    #[strum(serialize = "container.restart")]
    ContainerRestart,
    /// Every process of the container is frozen. About: the container.
    #[serde(rename = "container.pause")]
    #[strum(serialize = "container.pause")]
    ContainerPause,
    /// A frozen container goes on. About: the container.
    #[serde(rename = "container.unpause")]
    #[strum(serialize = "container.unpause")]
    ContainerUnpause,
    /// The record gets another name. About: the container.
    #[serde(rename = "container.rename")]
    #[strum(serialize = "container.rename")]
    ContainerRename,
    /// Limits of a running container are written anew. About: the container.
    #[serde(rename = "container.update")]
    #[strum(serialize = "container.update")]
    ContainerUpdate,
    /// Containers that do not run are listed, then removed. About: how many.
    #[serde(rename = "container.prune")]
    #[strum(serialize = "container.prune")]
    ContainerPrune,
    /// Record, log and writable layer go. About: the container.
    #[serde(rename = "container.remove")]
    #[strum(serialize = "container.remove")]
    ContainerRemove,
    /// Files go into a container or come out of it. About: `<id>:<path>`.
    #[serde(rename = "container.copy")]
    #[strum(serialize = "container.copy")]
    ContainerCopy,
    /// A container's whole file tree as one tar. About: the container.
    #[serde(rename = "container.export")]
    #[strum(serialize = "container.export")]
    ContainerExport,
    /// The writable layer is held against the image. About: the container.
    #[serde(rename = "container.diff")]
    #[strum(serialize = "container.diff")]
    ContainerDiff,
    /// A container becomes an image. About: the container.
    #[serde(rename = "container.commit")]
    #[strum(serialize = "container.commit")]
    ContainerCommit,
    /// The writable layer becomes a layer of an image. About: the container.
    #[serde(rename = "layer.pack")]
    #[strum(serialize = "layer.pack")]
    LayerPack,
    /// Empty control groups go. About: the group's path.
    #[serde(rename = "limits.release")]
    #[strum(serialize = "limits.release")]
    LimitsRelease,
    /// A failed or aborted piece of work is undone, last step first. About: what failed.
    #[serde(rename = "rollback")]
    #[strum(serialize = "rollback")]
    Rollback,
}

/// The six stages in which the notes tell a first `run`.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    strum::IntoStaticStr,
    strum::VariantArray,
)]
#[serde(rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum Stage {
    /// The client's request reaches the daemon.
    ClientToDaemon,
    /// The daemon looks into its local store.
    CacheCheck,
    /// "Unable to find image … locally".
    ImageMissing,
    /// The image is fetched and kept.
    PullAndCache,
    /// The file snapshot becomes a container.
    SnapshotToContainer,
    /// The start command runs, walled in.
    StartCommand,
}

impl Scope {
    /// The stage of the story this scope belongs to; `None` for what the story leaves out.
    /// [`Stage::ImageMissing`] belongs to no scope: it is [`Note::CacheMiss`](super::Note).
    pub fn stage(self) -> Option<Stage> {
        use Scope::*;
        Some(match self {
            Request => Stage::ClientToDaemon,
            ImageLookup => Stage::CacheCheck,
            ImagePull | RegistryChoose | RegistryAuth | ManifestResolve | ConfigFetch | LayerFetch
            | LayerUnpack | ImageCommit => Stage::PullAndCache,
            ContainerCreate | SnapshotPrepare => Stage::SnapshotToContainer,
            BundleWrite | ContainerStart | ShimSpawn | LimitsApply | NamespacesEnter | NamespacesJoin
            | LimitsJoin | TerminalOpen | ExecStart | ExecExit | RootfsMount | RootfsFurnish
            | RootfsPivot | RootfsProtect | IdentitySet | GuardApply | ProcessExec | ContainerExit
            | NetworkConnect | NetworkRelease | PortsPublish | InitSupervise => Stage::StartCommand,
            ImageRemove | ExecCreate | ContainerTop | ContainerAttach | ContainerWait | ContainerStop
            | ContainerKill | ContainerRemove | LimitsRelease | Rollback | ContainerCopy
            | ContainerExport | ContainerDiff | ContainerCommit | LayerPack | NetworkCreate
            | NetworkRemove | ContainerRestart | ContainerPause | ContainerUnpause | ContainerRename
            | ContainerUpdate | ContainerPrune => return None,
        })
    }

    /// The stable name, as stored.
    pub fn name(self) -> &'static str {
        self.into()
    }
}
