//! The image verbs.

pub mod args;
pub mod history;
pub mod list;
pub mod load;
pub mod login;
pub mod progress;
pub mod prune;
pub mod pull;
pub mod push;
pub mod remove;
pub mod save;
pub mod search;
pub mod tag;
