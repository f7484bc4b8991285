//! How Docker prints: tables, ages, sizes, JSON. Pure text, no output.

pub mod age;
pub mod json;
pub mod rows;
pub mod size;
pub mod table;
pub mod words;

pub use table::Table;
