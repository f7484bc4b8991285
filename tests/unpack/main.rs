//! Layers, well-meant and otherwise, unpacked by the real machine.

mod bench;
mod bytes;
mod copy;
mod disk;
mod hostile;
mod limits;
mod metadata;
mod odd;
mod removal;
mod resume;
mod tarball;
mod unprivileged;
mod whiteout;
