//! `docker build`: what a Dockerfile means, apart from doing it.
//!
//! ```text
//!  bytes ──▶ dockerfile ──▶ plan ──▶ engine::build     (every step: a temporary container,
//!  context ──▶ ignore, pattern ──────────┘               its commit, its removal)
//! ```
//!
//! Nothing here touches the kernel or the store; the engine carries a plan out with the verbs it
//! has: create, start, wait, copy, commit, remove.

pub mod change;
pub mod dockerfile;
pub mod expand;
pub mod ignore;
pub mod pattern;
