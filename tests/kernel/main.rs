//! Conformance: every scenario runs through the same engine twice, on the simulator and on the real
//! kernel, and both must tell the same story, record by record.
//!
//! ```text
//!  drive (a client) ══ api, engine, runtime ══╦══ SimHost ── a model of Docker Hub
//!                                             ╚══ LinuxHost ── the same model over HTTP
//!                                    trace ─▶ normal ─▶ equal
//! ```
//!
//! Needs root: groups, namespaces and mounts are real on one of the two sides. The state root is a
//! temporary directory; nothing else of the machine is touched but cgroups under `learn/<id>`.

mod coverage;
mod drive;
mod files;
mod hub;
mod normal;
mod scenarios;
mod worlds;

/// Whether the real kernel can be asked. A skip says why, and is a failure where it is forbidden.
fn able() -> bool {
    if rustix::process::geteuid().is_root() {
        return true;
    }
    assert!(
        std::env::var_os("LEARN_REQUIRE_ROOT").is_none(),
        "LEARN_REQUIRE_ROOT is set, and this is not root"
    );
    eprintln!("skipped: the real kernel's half needs root");
    false
}
