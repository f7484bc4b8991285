//! `hello-world`: an image of exactly one file, a program that says hello.
//!
//! `src/hub/build.rs` compiles `hello/program.rs` and fills in `hello/message.txt`; this module
//! embeds both results.

use bytes::Bytes;

use super::tree::{Node, Tree};

/// What `/hello` prints: begins and ends with an empty line. The simulator prints the same.
pub const MESSAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/message.txt"));

/// The program itself: a static ELF file for the processor `learn` was built for.
pub const PROGRAM: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/hello"));

/// The image's file system: `/hello`, and nothing else.
pub fn tree() -> Tree {
    let mut tree = Tree::default();
    tree.insert("hello", Node::File { mode: 0o755, content: Bytes::from_static(PROGRAM) });
    tree
}
