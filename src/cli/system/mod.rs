//! The verbs about the engine as a whole.

pub mod args;
pub mod check;
pub mod df;
pub mod events;
pub mod info;
pub mod inspect;
pub mod prune;
mod schema;
mod typed;
pub mod version;
