//! The runtime: an OCI [`Spec`](oci_spec::runtime::Spec) becomes an ordered list of operations,
//! performed on two sides of a wall.
//!
//! ```text
//!  shim: launch                                   init
//!    limits.apply      make groups, write limits
//!    namespaces.enter  clone3 ───────────────────▶ (waits)
//!    go ─────────────────────────────────────────▶ limits.join
//!    (waits)                                        rootfs.mount, .furnish, .pivot, .protect
//!                                                   identity.set, guard.apply
//!    end of file ◀──────────────────────────────── process.exec
//! ```

pub mod birth;
pub mod channel;
pub mod error;
pub mod guard;
pub mod init;
pub mod join;
pub mod launch;
pub mod limits;
pub mod log_format;
pub mod namespaces;
pub mod protocol;
pub mod proxy;
pub mod rootfs;
pub mod run;
pub mod shim;
pub mod supported;
pub mod sysctl;

/// Annotation of a bundle whose root file system init mounts itself, inside the container's mount
/// namespace: overlayfs options (`lowerdir=…,upperdir=…,workdir=…`). Nothing is mounted on the
/// host, so nothing can be left behind there.
pub const OVERLAY_ANNOTATION: &str = "learn.rootfs.overlay";

/// Annotation of a bundle whose PID 1 is a small init of this runtime's, and the program its child.
/// The value is the name it shows: `/sbin/docker-init`.
pub const INIT_ANNOTATION: &str = "learn.process.init";
