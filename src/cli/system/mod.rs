//! The verbs about the engine as a whole.

pub mod args;
pub mod events;
pub mod info;
pub mod inspect;
mod schema;
mod typed;
pub mod version;
