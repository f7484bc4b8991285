//! Capabilities: root's power in 41 pieces, and the few of them a container keeps.
//!
//! Sources: capabilities(7), the numbers of `linux/capability.h`, and the behaviour of moby's
//! `oci/caps` package.

use std::fmt;

use oci_spec::runtime::{Capabilities, Capability, LinuxCapabilities};

use crate::error::{Classify, Kind};

use Capability as C;

/// Every capability, at the index that is its number in the kernel.
pub const ALL: [Capability; 41] = [
    C::Chown,
    C::DacOverride,
    C::DacReadSearch,
    C::Fowner,
    C::Fsetid,
    C::Kill,
    C::Setgid,
    C::Setuid,
    C::Setpcap,
    C::LinuxImmutable,
    C::NetBindService,
    C::NetBroadcast,
    C::NetAdmin,
    C::NetRaw,
    C::IpcLock,
    C::IpcOwner,
    C::SysModule,
    C::SysRawio,
    C::SysChroot,
    C::SysPtrace,
    C::SysPacct,
    C::SysAdmin,
    C::SysBoot,
    C::SysNice,
    C::SysResource,
    C::SysTime,
    C::SysTtyConfig,
    C::Mknod,
    C::Lease,
    C::AuditWrite,
    C::AuditControl,
    C::Setfcap,
    C::MacOverride,
    C::MacAdmin,
    C::Syslog,
    C::WakeAlarm,
    C::BlockSuspend,
    C::AuditRead,
    C::Perfmon,
    C::Bpf,
    C::CheckpointRestore,
];

/// What Docker leaves a container that asks for nothing.
pub const DEFAULT: [Capability; 14] = [
    C::Chown,
    C::DacOverride,
    C::Fsetid,
    C::Fowner,
    C::Mknod,
    C::NetRaw,
    C::Setgid,
    C::Setuid,
    C::Setfcap,
    C::Setpcap,
    C::NetBindService,
    C::SysChroot,
    C::Kill,
    C::AuditWrite,
];

/// Why a list of capabilities cannot be had; worded as Docker words it. Docker's API puts the field
/// before it: `invalid CapAdd: unknown capability: "CAP_FOO"`.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// No kernel has a capability of this name (given in upper case, with `CAP_`).
    #[error("unknown capability: {0:?}")]
    Unknown(String),
    /// The capability exists, but not here: an old kernel, or an engine that was itself given less.
    #[error("capability not supported by your kernel or not available in the current environment: {0:?}")]
    Unavailable(String),
}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// One entry of `--cap-add` or `--cap-drop`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// The word `ALL`.
    All,
    /// One capability.
    One(Capability),
}

impl fmt::Display for Choice {
    /// `ALL`, or the name with its `CAP_`.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => out.write_str("ALL"),
            Self::One(capability) => out.write_str(&name(*capability)),
        }
    }
}

/// Reads names as `--cap-add` takes them: any case, with or without `CAP_`, or `ALL`.
///
/// # Errors
/// [`Error::Unknown`] for a name that is none; [`Error::Unavailable`] for one that is not in
/// `available`.
pub fn normalise(names: &[String], available: &Capabilities) -> Result<Vec<Choice>, Error> {
    names.iter().map(|name| choice(name, available)).collect()
}

fn choice(name: &str, available: &Capabilities) -> Result<Choice, Error> {
    let upper = name.to_uppercase();
    if upper == "ALL" {
        return Ok(Choice::All);
    }
    let bare = upper.strip_prefix("CAP_").unwrap_or(&upper);
    let Ok(capability) = bare.parse::<Capability>() else {
        return Err(Error::Unknown(format!("CAP_{bare}")));
    };
    if !available.contains(&capability) {
        return Err(Error::Unavailable(format!("CAP_{bare}")));
    }
    Ok(Choice::One(capability))
}

/// The capabilities of a container on a machine that has them all; see [`effective_within`].
///
/// # Errors
/// [`Error::Unknown`] for a name that is none.
pub fn effective(add: &[String], drop: &[String], privileged: bool) -> Result<Capabilities, Error> {
    effective_within(add, drop, privileged, &ALL.into())
}

/// The capabilities of a container, out of those `available` to the engine (its own effective set,
/// see [`from_mask`]).
///
/// As Docker does it: a privileged container gets everything available and its lists are not read.
/// With `ALL` added the dropped ones are taken from everything; otherwise with `ALL` dropped only
/// the added ones are left; otherwise the dropped ones leave the default set, then the added ones
/// join it, so a name in both lists is kept.
///
/// # Errors
/// The first bad name, looked for in `drop` before `add`.
pub fn effective_within(
    add: &[String],
    drop: &[String],
    privileged: bool,
    available: &Capabilities,
) -> Result<Capabilities, Error> {
    if privileged {
        return Ok(available.clone());
    }
    let drop = normalise(drop, available)?;
    let add = normalise(add, available)?;
    let kept = |capability: &Capability| !drop.contains(&Choice::One(*capability));
    if add.contains(&Choice::All) {
        return Ok(available.iter().copied().filter(kept).collect());
    }
    let base: &[Capability] = if drop.contains(&Choice::All) { &[] } else { &DEFAULT };
    let added = add.iter().filter_map(|choice| match choice {
        Choice::One(capability) => Some(*capability),
        Choice::All => None,
    });
    Ok(base.iter().copied().filter(kept).chain(added).collect())
}

/// The sets a process of user `uid` starts with. Root holds them at once; any other user only has
/// them as the bound of what a set-user-ID program may regain, which is what execve(2) would leave
/// it. Nothing is inheritable or ambient.
pub fn process_sets(capabilities: &Capabilities, uid: u32) -> LinuxCapabilities {
    let held = (uid == 0).then(|| capabilities.clone());
    let mut sets = LinuxCapabilities::default();
    sets.set_bounding(Some(capabilities.clone()))
        .set_effective(held.clone())
        .set_permitted(held)
        .set_inheritable(None)
        .set_ambient(None);
    sets
}

/// The name as the kernel's headers and Docker have it: `CAP_NET_ADMIN`.
pub fn name(capability: Capability) -> String {
    format!("CAP_{capability}")
}

/// The kernel's number of a capability: its bit in `/proc/<pid>/status`, its argument in prctl(2).
pub fn number(capability: Capability) -> u8 {
    let at = ALL.iter().position(|known| *known == capability);
    at.expect("ALL holds every variant") as u8
}

/// The set as the kernel prints it: bit n for capability n (`CapBnd:` in `/proc/<pid>/status`).
pub fn mask(capabilities: &Capabilities) -> u64 {
    capabilities.iter().fold(0, |mask, capability| mask | 1 << number(*capability))
}

/// The set a mask of `/proc/<pid>/status` stands for; bits of capabilities newer than [`ALL`] are
/// left out.
pub fn from_mask(mask: u64) -> Capabilities {
    ALL.iter()
        .enumerate()
        .filter(|(bit, _)| mask >> bit & 1 == 1)
        .map(|(_, capability)| *capability)
        .collect()
}

/// The set in the kernel's order, for output that must not depend on hashing.
pub fn sorted(capabilities: &Capabilities) -> Vec<Capability> {
    ALL.into_iter().filter(|capability| capabilities.contains(capability)).collect()
}
