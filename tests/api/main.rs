//! The daemon under many clients, rude clients and much output.

#[path = "../support/live.rs"]
#[allow(dead_code, reason = "shared by several test programs, none of which uses all of it")]
mod live;

mod corners;
mod crowd;
mod output;
