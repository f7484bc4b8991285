//! The real machine.

pub mod jail;
pub(crate) mod sys;

pub use jail::LinuxJail;
