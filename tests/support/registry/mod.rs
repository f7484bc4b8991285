//! What the registry tests stand on: images made on the spot, a store with the real machine
//! under it, an in-process player of Docker Hub, and Debian's registry.

pub mod bench;
pub mod debian;
pub mod image;
pub mod player;
