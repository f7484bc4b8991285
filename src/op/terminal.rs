//! Terminals: pty(7), ioctl_tty(2), credentials(7) on sessions.

use serde::{Deserialize, Serialize};

/// An act on the container's terminal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, strum::IntoStaticStr, strum::VariantNames)]
#[serde(tag = "op", rename_all = "kebab-case")]
#[strum(serialize_all = "kebab-case")]
pub enum TerminalOp {
    /// Makes a pair of terminal ends in the container's own devpts. The outer end goes to the
    /// shim, the inner one stays with the caller.
    Open {
        /// Lines of the window; 0 when nobody knows yet.
        rows: u16,
        /// Columns of the window.
        columns: u16,
        /// Who may use it: a user id inside the container.
        owner: u32,
    },
    /// Makes the inner end the terminal of the caller's session, and its standard streams.
    Control,
}

impl TerminalOp {
    pub(super) fn syscall(&self) -> String {
        match self {
            TerminalOp::Open { rows, columns, owner } => format!(
                "open(\"/dev/pts/ptmx\"); ioctl(TIOCSPTLCK, 0); ioctl(TIOCGPTPEER); \
                 ioctl(TIOCSWINSZ, {{{rows}, {columns}}}); fchown({owner}, -1)"
            ),
            TerminalOp::Control => "ioctl(TIOCSCTTY, 0); dup2(0); dup2(1); dup2(2)".into(),
        }
    }

    pub(super) fn shell(&self) -> String {
        match self {
            TerminalOp::Open { .. } => "script -c sh /dev/null".into(),
            TerminalOp::Control => "setsid --ctty sh".into(),
        }
    }
}
