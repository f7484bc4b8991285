//! The real machine.

mod copy;
pub mod files;
pub mod groups;
pub mod host;
pub mod http;
pub mod probe;
pub mod remove;
pub mod seal;
pub mod shim;
pub mod sys;
pub mod unpack;
