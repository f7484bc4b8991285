//! How Docker prints: tables, ages, sizes, JSON. Pure text, no output.

pub mod age;
pub mod json;
pub mod list;
pub mod size;
pub mod tabs;
pub mod template;
pub mod words;

pub use list::{List, column};
