//! The daemon under many clients, rude clients and much output.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;

#[path = "../support/pty.rs"]
mod pty;

mod crowd;
mod endurance;
mod exec;
mod init;
mod output;
mod terminal;
