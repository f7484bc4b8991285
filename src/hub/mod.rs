//! The hub that is built into `learn`: a registry on loopback, for when Docker Hub is out of reach.
//!
//! ```text
//! machine ─▶ alpine ─┐
//!                    ├─▶ tree ─▶ image ─▶ catalog ─▶ answer ─▶ server
//!             hello ─┘                                     └─▶ docker ─▶ simulator
//! ```
//!
//! Nothing is stored: `hello-world` is compiled with `learn`, and a stand-in for `alpine` is put
//! together from the machine's own programs when it is first asked for. Both carry a label that
//! says so ([`image::LABEL`]). What a client sees is an ordinary registry: it pulls from the hub
//! the way it pulls from Docker Hub.

pub mod alpine;
pub mod answer;
pub mod catalog;
pub mod docker;
pub mod elf;
pub mod hello;
pub mod image;
pub mod machine;
pub mod server;
pub mod tree;

pub use answer::Answer;
pub use catalog::Catalog;
pub use docker::DockerHub;
pub use server::{Hub, serve};
