//! Docker's default seccomp profile for one container: the rules of the table that apply to it.

use oci_spec::runtime::{
    Capabilities, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompOperator as Op, LinuxSyscall,
};

use super::abi::Machine;
use super::profile_table::{Answer, RULES, Rule, When};

/// The default profile for a container that holds `capabilities` (its bounding set), on the machine
/// this runs on, under a kernel of version `kernel` (major, minor; see [`kernel_version`]).
///
/// Everything not allowed fails with EPERM. Never privileged containers: those run without a
/// profile.
pub fn default_profile(capabilities: &Capabilities, kernel: (u32, u32)) -> LinuxSeccomp {
    default_profile_for(Machine::native(), capabilities, kernel)
}

/// The default profile for a machine that need not be this one; `None` stands for a machine without
/// a syscall table, which gets no architectures and no rules of its own.
pub fn default_profile_for(
    machine: Option<Machine>,
    capabilities: &Capabilities,
    kernel: (u32, u32),
) -> LinuxSeccomp {
    let applies = |rule: &&Rule| match rule.when {
        When::Always => true,
        When::Kernel(major, minor) => kernel >= (major, minor),
        When::Machine(wanted) => machine == Some(wanted),
        When::Holds(capability) => capabilities.contains(&capability),
        When::Lacks(capability) => !capabilities.contains(&capability),
    };
    let syscalls = RULES.iter().filter(applies).map(syscall).collect();
    let mut profile = LinuxSeccomp::default();
    profile
        .set_default_action(LinuxSeccompAction::ScmpActErrno)
        .set_default_errno_ret(Some(libc::EPERM as u32))
        .set_architectures(machine.map(Machine::architectures))
        .set_syscalls(Some(syscalls));
    profile
}

fn syscall(rule: &Rule) -> LinuxSyscall {
    let mut syscall = LinuxSyscall::default();
    syscall.set_names(rule.names.split_ascii_whitespace().map(str::to_owned).collect());
    match rule.answer {
        Answer::Allow => syscall.set_action(LinuxSeccompAction::ScmpActAllow),
        Answer::Errno(errno) => {
            syscall.set_action(LinuxSeccompAction::ScmpActErrno).set_errno_ret(Some(errno as u32))
        }
    };
    if let Some((index, op, value)) = rule.argument {
        syscall.set_args(Some(vec![argument(index, op, value, None)]));
    }
    syscall
}

/// One test of an argument in OCI's shape.
pub(super) fn argument(index: usize, op: Op, value: u64, value_two: Option<u64>) -> LinuxSeccompArg {
    let mut builder = LinuxSeccompArgBuilder::default().index(index).op(op).value(value);
    if let Some(value_two) = value_two {
        builder = builder.value_two(value_two);
    }
    builder.build().expect("every field has a default")
}

/// Major and minor number at the start of a release as uname(2) has it (`6.1.0-18-amd64`), or
/// `None` if it has no such start.
pub fn kernel_version(release: &str) -> Option<(u32, u32)> {
    let (major, rest) = release.split_once('.')?;
    let minor = rest.split(|letter: char| !letter.is_ascii_digit()).next()?;
    Some((major.parse().ok()?, minor.parse().ok()?))
}
