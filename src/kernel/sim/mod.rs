//! A deterministic model of the machine: state and error numbers, never narration. It needs no
//! privilege, no network and no feature of the kernel it runs on.
//!
//! ```text
//!  host, jail, child      the doors: Host, Jail, Child
//!     │
//!  files, mounting, credentials, exec, layer        acts, each with the errno its manual page gives
//!     │
//!  world = filesystem (tree, overlay, procfs, cgroups) + mounts + namespaces + processes
//! ```
//!
//! The same calls in the same order give the same pids, inode numbers and errors. Programs run as
//! models ([`program`]) on threads, with the real descriptors they are given; the output of two
//! programs at once is the only thing that is not ordered.

mod archive;
mod cgroups;
mod child;
mod copy;
mod credentials;
mod daemon;
mod exec;
mod files;
mod filesystem;
mod freezer;
mod host;
mod jail;
mod layer;
mod mounting;
mod mounts;
mod namespaces;
mod network;
mod overlay;
mod pack;
mod places;
mod processes;
mod procfs;
pub mod program;
mod programs;
mod store;
mod terminal;
mod tree;
mod walk;
mod world;

pub use host::{Registry, Shim, SimConfig, SimHost};
pub use jail::SimJail;
pub use program::Programs;
pub use world::KERNEL_PATHS;
