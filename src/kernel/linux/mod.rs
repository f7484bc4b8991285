//! The real machine.

pub mod http;
