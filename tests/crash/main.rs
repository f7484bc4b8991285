//! The daemon, a client or a shim is killed, the disk is full, a file is damaged: what is left is
//! sound, and the next command works.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;
#[path = "../support/registry/mod.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod registry;

mod input;
mod policies;
mod pull;
mod running;
mod stepwise;
