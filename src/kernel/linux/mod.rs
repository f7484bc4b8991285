//! The real machine.

mod copy;
pub mod examine;
pub mod files;
pub mod groups;
pub mod host;
pub mod http;
pub mod jail;
pub mod network;
pub mod nursery;
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

/// The work is done and a long wait begins: gives back the pages of code, which come again from
/// the page cache when they are needed, and the heap's free ones.
pub fn rest() {
    sys::release_heap();
    // Only memory is at stake.
    let _ = sys::release_code();
}
