//! What this machine can do, tried out: what `learn doctor` judges. Not Docker's; it never
//! leaves the process.

/// What came of trying something out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trial {
    /// It worked.
    Worked,
    /// The kernel refused: errno(3).
    Refused(i32),
}

impl Trial {
    /// Whether it worked.
    pub fn worked(&self) -> bool {
        *self == Trial::Worked
    }
}

/// Kernel settings that shut ordinary users out of user namespaces; `None` where a kernel does
/// not know the setting.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UserNamespaceSettings {
    /// `user.max_user_namespaces`.
    pub max: Option<u64>,
    /// Debian's `kernel.unprivileged_userns_clone`.
    pub clone: Option<u64>,
    /// Ubuntu's `kernel.apparmor_restrict_unprivileged_userns`.
    pub apparmor: Option<u64>,
}

/// How a registry answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reach {
    /// With this status, over TLS.
    Answered(u16),
    /// Not in time, or not at all: why.
    Silent(String),
}

/// All that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Examination {
    /// uname(2)'s release.
    pub kernel: String,
    /// The same as major and minor number.
    pub version: (u32, u32),
    /// Who asks: 0 is root.
    pub uid: u32,
    /// Its login name, else its number.
    pub user: String,
    /// A user namespace with a mount in it. Root needs none.
    pub user_namespace: Trial,
    /// Why not, perhaps.
    pub settings: UserNamespaceSettings,
    /// `v1`, `v2`, `hybrid` or `none`.
    pub cgroup_mode: String,
    /// Controllers of all hierarchies, sorted.
    pub controllers: Vec<String>,
    /// Whether groups can be made.
    pub cgroup_writable: bool,
    /// overlayfs over the file system that holds the state.
    pub overlay: Trial,
    /// Whether seccomp(2) knows filters.
    pub seccomp: bool,
    /// A network namespace.
    pub network_namespace: Trial,
    /// A veth pair in it.
    pub veth: Trial,
    /// nftables in it.
    pub nftables: Trial,
    /// Whether `/etc/subuid` and `/etc/subgid` give the user more ids than its own.
    pub subordinate_ids: bool,
    /// Docker Hub.
    pub registry: Reach,
    /// The directory whose file system holds, or will hold, the state.
    pub disk: String,
    /// Bytes free there for this user.
    pub disk_free: u64,
}
