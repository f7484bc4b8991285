//! The simulator: every rule a learner can run into answers as Linux does, and the runtime runs a
//! whole container on it.

mod bench;
mod container;
mod files;
mod groups;
mod mounts;
mod overlay;
mod processes;
mod store;
