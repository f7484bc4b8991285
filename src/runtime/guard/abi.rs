//! The doors into the kernel: which ABIs a machine has, and the number a syscall has behind each.
//!
//! One kernel answers several ABIs: an x86-64 kernel runs 64-bit, 32-bit (i386) and x32 programs,
//! an arm64 kernel runs 64-bit and 32-bit ARM programs, and the same number means a different call
//! in each. A filter that looks at the number without the ABI can be walked around with one `int
//! 0x80`.

use oci_spec::runtime::Arch;

/// A processor architecture this crate can filter for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Machine {
    /// 64-bit x86, with the i386 and x32 ABIs beside its own.
    X86_64,
    /// 64-bit ARM, with the 32-bit EABI beside its own.
    Aarch64,
}

/// One way for a program to enter the kernel.
#[derive(Debug)]
pub(super) struct Abi {
    /// Its name in a profile's `architectures`.
    pub arch: Arch,
    /// `seccomp_data.arch`: the `AUDIT_ARCH_*` value of `linux/audit.h`.
    pub audit: u32,
    /// Bits set in every number of this ABI; only x32 has one (`__X32_SYSCALL_BIT`).
    pub tag: u32,
    /// Whether arguments are 64 bits wide.
    pub wide: bool,
    /// Last number that new syscalls may grow into; those above are the architecture's own.
    pub common_end: u32,
    column: usize,
}

/// `__X32_SYSCALL_BIT` of `asm/unistd.h`.
pub(super) const X32_BIT: u32 = 0x4000_0000;

/// The native ABI comes first.
static X86_64: [Abi; 3] = [
    Abi {
        arch: Arch::ScmpArchX86_64,
        audit: 0xc000_003e,
        tag: 0,
        wide: true,
        common_end: u32::MAX,
        column: 0,
    },
    Abi { arch: Arch::ScmpArchX86, audit: 0x4000_0003, tag: 0, wide: false, common_end: u32::MAX, column: 1 },
    // libseccomp compares x32 arguments as 32-bit words too.
    Abi {
        arch: Arch::ScmpArchX32,
        audit: 0xc000_003e,
        tag: X32_BIT,
        wide: false,
        common_end: u32::MAX,
        column: 2,
    },
];

/// The native ABI comes first. `__ARM_NR_BASE` of arch/arm's `asm/unistd.h` is 0x0f0000.
static AARCH64: [Abi; 2] = [
    Abi {
        arch: Arch::ScmpArchAarch64,
        audit: 0xc000_00b7,
        tag: 0,
        wide: true,
        common_end: u32::MAX,
        column: 3,
    },
    Abi {
        arch: Arch::ScmpArchArm,
        audit: 0x4000_0028,
        tag: 0,
        wide: false,
        common_end: 0x0e_ffff,
        column: 4,
    },
];

/// A row of the syscall table: name, number in each column, place in the i386 multiplexers.
pub(super) type Row = (&'static str, [i32; 5], u8);

static TABLE: [Row; 485] = include!("syscalls.tbl");

impl Machine {
    /// The machine this program was built for, or `None` where no table exists.
    pub const fn native() -> Option<Self> {
        if cfg!(target_arch = "x86_64") {
            Some(Self::X86_64)
        } else if cfg!(target_arch = "aarch64") {
            Some(Self::Aarch64)
        } else {
            None
        }
    }

    /// The name Docker's profiles use in `includes.arches` (Go's architecture names).
    pub const fn docker_name(self) -> &'static str {
        match self {
            Self::X86_64 => "amd64",
            Self::Aarch64 => "arm64",
        }
    }

    /// The ABIs of this machine in a profile's terms, its own first; also Docker's `archMap` for
    /// it.
    pub fn architectures(self) -> Vec<Arch> {
        self.abis().iter().map(|abi| abi.arch).collect()
    }

    pub(super) fn abis(self) -> &'static [Abi] {
        match self {
            Self::X86_64 => &X86_64,
            Self::Aarch64 => &AARCH64,
        }
    }
}

impl Abi {
    /// The full number (tag included) of a table row in this ABI, or `None` if the ABI lacks the
    /// call.
    pub(super) fn number(&self, row: &Row) -> Option<u32> {
        u32::try_from(row.1[self.column]).ok().map(|number| number | self.tag)
    }
}

/// The table row of a syscall, or `None` for a name no ABI here knows.
pub(super) fn row(name: &str) -> Option<&'static Row> {
    TABLE.binary_search_by(|row| row.0.cmp(name)).ok().map(|at| &TABLE[at])
}

/// Every syscall of one ABI with its full number (for x32: with the marker bit), by name. Empty for
/// an ABI of a machine outside [`Machine`].
pub fn syscalls(arch: Arch) -> impl Iterator<Item = (&'static str, u32)> {
    let abi = X86_64.iter().chain(&AARCH64).find(|abi| abi.arch == arch);
    abi.into_iter().flat_map(|abi| TABLE.iter().filter_map(|row| Some((row.0, abi.number(row)?))))
}
