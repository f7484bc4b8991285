//! A network of a test's own.

use std::process::Command;

/// A network that ends with the thread that asked for it and with what that thread started:
/// nothing but loopback, so that no engine touches the machine's interfaces and rules.
pub fn own_network() {
    nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET).expect("a network namespace: root");
    let up = Command::new("ip").args(["link", "set", "lo", "up"]).status().expect("ip(8)");
    assert!(up.success(), "loopback is up");
}
