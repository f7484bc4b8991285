//! A container's files from outside: what is at a path, and what changed.

use serde::{Deserialize, Serialize};

/// `X-Docker-Container-Path-Stat`, as JSON in base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct PathStat {
    /// Last name of the path.
    pub name: String,
    /// Bytes.
    pub size: i64,
    /// Go's `os.FileMode`: permission bits below, what it is above.
    pub mode: u32,
    /// RFC 3339.
    pub mtime: String,
    /// Where a link leads, absolute inside the container.
    pub link_target: String,
}

/// Bits of Go's `os.FileMode`.
pub mod mode {
    /// A directory.
    pub const DIRECTORY: u32 = 1 << 31;
    /// A symbolic link.
    pub const SYMLINK: u32 = 1 << 27;
    /// A device.
    pub const DEVICE: u32 = 1 << 26;
    /// A named pipe.
    pub const PIPE: u32 = 1 << 25;
    /// A socket.
    pub const SOCKET: u32 = 1 << 24;
    /// Set-user-ID.
    pub const SETUID: u32 = 1 << 23;
    /// Set-group-ID.
    pub const SETGID: u32 = 1 << 22;
    /// A character device, beside [`DEVICE`].
    pub const CHARACTER: u32 = 1 << 21;
    /// Sticky.
    pub const STICKY: u32 = 1 << 20;
}

impl PathStat {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        self.mode & mode::DIRECTORY != 0
    }

    /// Whether it is a symbolic link.
    pub fn is_symlink(&self) -> bool {
        self.mode & mode::SYMLINK != 0
    }

    /// Whether it is a device.
    pub fn is_device(&self) -> bool {
        self.mode & mode::DEVICE != 0
    }
}

/// One line of `GET /containers/{id}/changes`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Change {
    /// Absolute, inside.
    pub path: String,
    /// 0 changed, 1 added, 2 deleted.
    pub kind: u8,
}

/// Answer of `POST /commit`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct IdResponse {
    /// `sha256:…`.
    pub id: String,
}
