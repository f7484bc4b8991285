//! What a container may do: Docker's defaults as tables, and the pure functions that read them.
//!
//! Nothing here touches the kernel. The engine calls these functions to fill an OCI `Spec`, the
//! runtime calls them to turn the `Spec` into operations:
//!
//! ```text
//! --cap-add, --cap-drop ──▶ capability ─┬─▶ Spec.process.capabilities
//!                                       └─▶ profile ─┐
//! --security-opt seccomp=FILE ────────────▶ custom ──┴─▶ Spec.linux.seccomp ─▶ filter ─▶ BPF
//!                           paths ─▶ Spec.mounts, masked and read-only paths, devices, rules
//! ```
//!
//! Docker sets no resource limits (rlimits) of its own: a container inherits those of the process
//! that starts it.

pub mod abi;
mod action;
pub mod bpf;
pub mod capability;
pub mod custom;
pub mod filter;
pub mod paths;
pub mod profile;
mod profile_table;
mod verdicts;
