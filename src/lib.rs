//! `learn`: a container engine you can watch think.
//!
//! Modules in dependency order, leaves first. Data flows one way:
//! `main → cli → client → api → engine → {image, build, container, volume, hub} → network → runtime → kernel`,
//! and below all of them the leaves `error, text, wire, op, trace`. `tests/architecture.rs` holds it.

pub mod error;
pub mod op;
pub mod text;
pub mod trace;
pub mod wire;

pub mod image;
pub mod kernel;
pub mod network;
pub mod runtime;

pub mod build;
pub mod volume;

pub mod container;
pub mod engine;
pub mod hub;

pub mod api;

pub mod lesson;

pub mod client;

pub mod cli;
