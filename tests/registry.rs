//! The registry client and the image store, over real HTTP: against Debian's registry, and
//! against a player of Docker Hub that can misbehave on purpose.

#[path = "registry/debian.rs"]
mod debian;
#[path = "registry/download.rs"]
mod download;
#[path = "registry/hub.rs"]
mod hub;
#[path = "registry/refusal.rs"]
mod refusal;
#[path = "registry/shared.rs"]
mod shared;
#[path = "support/registry/mod.rs"]
mod support;
