//! The runtime: an OCI [`Spec`](oci_spec::runtime::Spec) becomes an ordered list of operations,
//! performed on two sides of a wall.

pub mod guard;
pub mod protocol;

/// Annotation of a bundle whose root file system init mounts itself, inside the container's mount
/// namespace: overlayfs options (`lowerdir=…,upperdir=…,workdir=…`). Nothing is mounted on the
/// host, so nothing can be left behind there.
pub const OVERLAY_ANNOTATION: &str = "learn.rootfs.overlay";
