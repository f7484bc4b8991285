//! The command line: one noun per file; [`render`] holds the displays over one stream of records.

pub mod explain;
pub mod render;
pub mod trace;
pub mod watch;
