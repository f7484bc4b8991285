//! The flags of `run` and `create` by what they are about: each group is what clap reads, and
//! writes itself into the request as Docker's client does.

mod attachment;
pub mod cidfile;
mod csv;
pub mod files;
pub mod limits;
pub mod machine;
mod mount;
pub mod network;
mod publish;
pub mod security;
pub mod ulimit;
pub mod value;
