//! The real machine.

mod copy;
pub mod examine;
pub mod files;
pub mod groups;
pub mod host;
pub mod http;
pub mod jail;
pub mod network;
pub mod probe;
pub mod remove;
pub mod seal;
mod shim;
pub(crate) mod sys;
pub mod tree;
pub mod unpack;
mod user_namespace;

pub use host::LinuxHost;
pub use jail::LinuxJail;
