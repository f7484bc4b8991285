//! Docker's defaults, and the seccomp filters made of them, without touching the kernel.

mod capability;
mod custom;
mod filter;
mod machine;
mod naive;
mod paths;
mod profile;
mod property;
