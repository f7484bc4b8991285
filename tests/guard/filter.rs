//! Single calls through the compiled filter.

use learn::runtime::guard::abi::{self, Machine};
use learn::runtime::guard::capability;
use learn::runtime::guard::filter::{self, Error, Filter, compile_for};
use learn::runtime::guard::profile::default_profile_for;
use oci_spec::runtime::{
    Arch, Capability, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArgBuilder,
    LinuxSeccompFilterFlag as Flag, LinuxSeccompOperator as Op, LinuxSyscallBuilder,
};

use super::machine::{AARCH64, ALLOW, ARM, ENOSYS, EPERM, I386, KILL_THREAD, X32_BIT, X86_64, verdict};

fn docker(machine: Machine, extra: &[Capability], kernel: (u32, u32)) -> Filter {
    let held = capability::DEFAULT.iter().chain(extra).copied().collect();
    compile_for(machine, &default_profile_for(Some(machine), &held, kernel)).unwrap()
}

fn number(arch: Arch, name: &str) -> u32 {
    abi::syscalls(arch).find(|(known, _)| *known == name).unwrap().1
}

/// The verdict on a 64-bit call of an x86-64 container with Docker's defaults.
fn call(extra: &[Capability], name: &str, first: u64) -> u32 {
    let filter = docker(Machine::X86_64, extra, (6, 1));
    verdict(&filter, X86_64, number(Arch::ScmpArchX86_64, name), [first, 0, 0, 0, 0, 0])
}

/// A profile of one rule for one syscall, for all ABIs of x86-64.
fn one_rule(default: Action, name: &str, action: Action, tests: &[(usize, Op, u64)]) -> LinuxSeccomp {
    let test = |&(index, op, value): &(usize, Op, u64)| {
        LinuxSeccompArgBuilder::default().index(index).op(op).value(value).build().unwrap()
    };
    let mut rule = LinuxSyscallBuilder::default().names([name.to_owned()]).action(action);
    if !tests.is_empty() {
        rule = rule.args(tests.iter().map(test).collect::<Vec<_>>());
    }
    let mut profile = LinuxSeccomp::default();
    profile
        .set_default_action(default)
        .set_architectures(Some(Machine::X86_64.architectures()))
        .set_syscalls(Some(vec![rule.build().unwrap()]));
    profile
}

#[test]
fn mount_needs_cap_sys_admin() {
    assert_eq!(call(&[], "mount", 0), EPERM);
    assert_eq!(call(&[Capability::SysAdmin], "mount", 0), ALLOW);
}

#[test]
fn clone3_says_enosys_so_that_the_c_library_uses_clone() {
    assert_eq!(call(&[], "clone3", 0), ENOSYS);
    assert_eq!(call(&[Capability::SysAdmin], "clone3", 0), ALLOW);
}

#[test]
fn clone_may_not_make_a_namespace() {
    for flag in [0x0002_0000, 0x0200_0000, 0x0400_0000, 0x0800_0000, 0x1000_0000, 0x2000_0000, 0x4000_0000] {
        assert_eq!(call(&[], "clone", flag | 17), EPERM, "{flag:#x}");
        assert_eq!(call(&[Capability::SysAdmin], "clone", flag | 17), ALLOW, "{flag:#x}");
    }
    let pthread_create = 0x003d_0f00;
    assert_eq!(call(&[], "clone", pthread_create), ALLOW);
}

#[test]
fn each_capability_opens_its_calls() {
    let pairs = [
        (Capability::DacReadSearch, "open_by_handle_at"),
        (Capability::SysBoot, "reboot"),
        (Capability::SysModule, "finit_module"),
        (Capability::SysPacct, "acct"),
        (Capability::SysPtrace, "kcmp"),
        (Capability::SysRawio, "iopl"),
        (Capability::SysTime, "clock_settime"),
        (Capability::SysTtyConfig, "vhangup"),
        (Capability::SysNice, "mbind"),
        (Capability::Syslog, "syslog"),
        (Capability::Bpf, "bpf"),
        (Capability::Perfmon, "perf_event_open"),
    ];
    for (capability, name) in pairs {
        assert_eq!(call(&[], name, 0), EPERM, "{name}");
        assert_eq!(call(&[capability], name, 0), ALLOW, "{name}");
    }
    assert_eq!(call(&[], "chroot", 0), ALLOW, "CAP_SYS_CHROOT is among the defaults");
}

#[test]
fn calls_that_leave_the_container_stay_closed_whatever_it_holds() {
    for name in ["io_uring_setup", "kexec_load", "swapon", "userfaultfd", "keyctl", "pivot_root"] {
        assert_eq!(call(&capability::ALL, name, 0), EPERM, "{name}");
    }
}

#[test]
fn sockets_of_the_kernel_crypto_and_of_the_hypervisor_are_closed() {
    let (af_inet, af_alg, af_kcm_less_one, af_vsock, af_xdp) = (2, 38, 39, 40, 44);
    for family in [af_inet, af_kcm_less_one, af_xdp] {
        assert_eq!(call(&[], "socket", family), ALLOW, "{family}");
    }
    for family in [af_alg, af_vsock] {
        assert_eq!(call(&[], "socket", family), EPERM, "{family}");
        // The kernel reads an int here: bits above it do not make another family.
        assert_eq!(call(&[], "socket", 1 << 32 | family), EPERM, "{family}");
    }
}

#[test]
fn personality_takes_the_harmless_values_only() {
    for value in [0, 0x8, 0x2_0000, 0x2_0008, 0xffff_ffff] {
        assert_eq!(call(&[], "personality", value), ALLOW, "{value:#x}");
    }
    let addr_no_randomize = 0x004_0000;
    assert_eq!(call(&[], "personality", addr_no_randomize), EPERM);
}

#[test]
fn ptrace_waits_for_a_kernel_that_filters_after_the_tracer() {
    let ptrace = number(Arch::ScmpArchX86_64, "ptrace");
    let under = |kernel, extra: &[Capability]| {
        verdict(&docker(Machine::X86_64, extra, kernel), X86_64, ptrace, [0; 6])
    };
    assert_eq!(under((4, 7), &[]), EPERM);
    assert_eq!(under((4, 8), &[]), ALLOW);
    assert_eq!(under((5, 0), &[]), ALLOW);
    assert_eq!(under((4, 7), &[Capability::SysPtrace]), ALLOW);
}

#[test]
fn a_number_younger_than_the_profile_is_enosys_and_a_hole_within_it_eperm() {
    let filter = docker(Machine::X86_64, &[], (6, 1));
    let newest = number(Arch::ScmpArchX86_64, "removexattrat");
    assert_eq!(verdict(&filter, X86_64, newest, [0; 6]), ALLOW);
    assert_eq!(verdict(&filter, X86_64, newest + 1, [0; 6]), ENOSYS);
    assert_eq!(verdict(&filter, X86_64, u32::MAX, [0; 6]), ENOSYS);
    assert_eq!(verdict(&filter, X86_64, 400, [0; 6]), EPERM);
}

#[test]
fn a_young_number_reaches_the_kernel_when_the_default_lets_it() {
    let profile = one_rule(Action::ScmpActAllow, "mount", Action::ScmpActErrno, &[]);
    let filter = compile_for(Machine::X86_64, &profile).unwrap();
    assert_eq!(verdict(&filter, X86_64, 100_000, [0; 6]), ALLOW);
}

#[test]
fn thirty_two_bit_programs_are_filtered_by_their_own_numbers() {
    let filter = docker(Machine::X86_64, &[], (6, 1));
    let (i386_write, i386_mount, i386_vm86) = (4, 21, 166);
    assert_eq!(verdict(&filter, I386, i386_write, [0; 6]), ALLOW);
    assert_eq!(verdict(&filter, I386, i386_mount, [0; 6]), EPERM);
    assert_eq!(verdict(&filter, I386, i386_vm86, [0; 6]), EPERM);
    let x32 = |number: u32| verdict(&filter, X86_64, X32_BIT | number, [0; 6]);
    let (write, mount, x32_readv, x32_ptrace) = (1, 165, 515, 521);
    assert_eq!([x32(write), x32(x32_readv), x32(x32_ptrace), x32(mount)], [ALLOW, ALLOW, ALLOW, EPERM]);
}

#[test]
fn arm_programs_are_filtered_by_their_own_numbers() {
    let filter = docker(Machine::Aarch64, &[], (6, 1));
    let (arm64_mount, arm_mount, arm_set_tls, arm_usr26) = (40, 21, 0xf0005, 0xf0003);
    assert_eq!(verdict(&filter, AARCH64, arm64_mount, [0; 6]), EPERM);
    assert_eq!(verdict(&filter, ARM, arm_mount, [0; 6]), EPERM);
    assert_eq!(verdict(&filter, ARM, arm_set_tls, [0; 6]), ALLOW);
    assert_eq!(verdict(&filter, ARM, arm_usr26, [0; 6]), EPERM);
    assert_eq!(verdict(&filter, ARM, 500, [0; 6]), ENOSYS);
}

#[test]
fn an_abi_the_profile_does_not_list_is_killed() {
    let mut profile = one_rule(Action::ScmpActAllow, "mount", Action::ScmpActErrno, &[]);
    profile.set_architectures(None);
    let filter = compile_for(Machine::X86_64, &profile).unwrap();
    assert_eq!(verdict(&filter, X86_64, 165, [0; 6]), EPERM);
    assert_eq!(verdict(&filter, I386, 4, [0; 6]), KILL_THREAD);
    assert_eq!(verdict(&filter, X86_64, X32_BIT | 1, [0; 6]), KILL_THREAD);
    assert_eq!(verdict(&filter, AARCH64, 64, [0; 6]), KILL_THREAD);
    assert_eq!(verdict(&filter, X86_64, u32::MAX, [0; 6]), ALLOW, "a tracer skips a call with -1");
}

#[test]
fn a_denied_call_is_denied_through_the_i386_multiplexers_too() {
    let socket = one_rule(Action::ScmpActAllow, "socket", Action::ScmpActErrno, &[]);
    let filter = compile_for(Machine::X86_64, &socket).unwrap();
    let socketcall = |which| verdict(&filter, I386, 102, [which, 0, 0, 0, 0, 0]);
    assert_eq!([socketcall(1), socketcall(2)], [EPERM, ALLOW]);

    let shmget = one_rule(Action::ScmpActAllow, "shmget", Action::ScmpActErrno, &[]);
    let filter = compile_for(Machine::X86_64, &shmget).unwrap();
    let ipc = |which| verdict(&filter, I386, 117, [which, 0, 0, 0, 0, 0]);
    assert_eq!([ipc(23), ipc(1 << 16 | 23), ipc(24)], [EPERM, EPERM, ALLOW]);
}

#[test]
fn a_multiplexer_hides_arguments_so_only_a_denial_passes_through_it() {
    let inet = [(0, Op::ScmpCmpEq, 2)];
    let denied = one_rule(Action::ScmpActAllow, "socket", Action::ScmpActErrno, &inet);
    let allowed = one_rule(Action::ScmpActErrno, "socket", Action::ScmpActAllow, &inet);
    for profile in [denied, allowed] {
        let filter = compile_for(Machine::X86_64, &profile).unwrap();
        assert_eq!(verdict(&filter, I386, 102, [1, 0, 0, 0, 0, 0]), EPERM);
    }
}

#[test]
fn all_tests_of_a_rule_must_hold_unless_one_argument_is_tested_twice() {
    let both = one_rule(
        Action::ScmpActErrno,
        "lseek",
        Action::ScmpActAllow,
        &[(1, Op::ScmpCmpEq, 1 << 40), (2, Op::ScmpCmpEq, 2)],
    );
    let filter = compile_for(Machine::X86_64, &both).unwrap();
    let lseek = |filter: &Filter, offset, whence| verdict(filter, X86_64, 8, [0, offset, whence, 0, 0, 0]);
    assert_eq!(lseek(&filter, 1 << 40, 2), ALLOW);
    assert_eq!(lseek(&filter, 0, 2), EPERM, "64-bit arguments are compared whole");
    assert_eq!(lseek(&filter, 1 << 40, 0), EPERM);

    let either = one_rule(
        Action::ScmpActErrno,
        "lseek",
        Action::ScmpActAllow,
        &[(2, Op::ScmpCmpEq, 1), (2, Op::ScmpCmpEq, 2)],
    );
    let filter = compile_for(Machine::X86_64, &either).unwrap();
    assert_eq!([0, 1, 2].map(|whence| lseek(&filter, 0, whence)), [EPERM, ALLOW, ALLOW]);
}

#[test]
fn every_action_has_its_kernel_value() {
    let actions = [
        (Action::ScmpActKill, 0x0000_0000),
        (Action::ScmpActKillThread, 0x0000_0000),
        (Action::ScmpActKillProcess, 0x8000_0000),
        (Action::ScmpActTrap, 0x0003_0000),
        (Action::ScmpActErrno, 0x0005_0001),
        (Action::ScmpActTrace, 0x7ff0_0001),
        (Action::ScmpActLog, 0x7ffc_0000),
    ];
    for (action, value) in actions {
        let filter =
            compile_for(Machine::X86_64, &one_rule(Action::ScmpActAllow, "mount", action, &[])).unwrap();
        assert_eq!(verdict(&filter, X86_64, 165, [0; 6]), value, "{action}");
    }
}

#[test]
fn what_cannot_be_filtered_is_refused_with_a_reason() {
    let notify = one_rule(Action::ScmpActAllow, "mount", Action::ScmpActNotify, &[]);
    assert_eq!(compile_for(Machine::X86_64, &notify), Err(Error::Notify));

    let seventh = one_rule(Action::ScmpActAllow, "mount", Action::ScmpActErrno, &[(6, Op::ScmpCmpEq, 0)]);
    let error = compile_for(Machine::X86_64, &seventh).unwrap_err();
    assert_eq!(
        error.to_string(),
        "seccomp rule for mount: argument index 6 is out of range, a system call has arguments 0 to 5"
    );

    let mut errno = one_rule(Action::ScmpActErrno, "mount", Action::ScmpActAllow, &[]);
    errno.set_default_errno_ret(Some(4096));
    assert_eq!(compile_for(Machine::X86_64, &errno), Err(Error::Errno { value: 4096, largest: 4095 }));
}

#[test]
fn a_profile_too_long_for_one_program_is_refused() {
    let mut profile = one_rule(Action::ScmpActErrno, "ioctl", Action::ScmpActAllow, &[(2, Op::ScmpCmpEq, 0)]);
    let rule = profile.syscalls().as_ref().unwrap()[0].clone();
    profile.set_syscalls(Some(vec![rule; 1000]));
    assert!(matches!(compile_for(Machine::X86_64, &profile), Err(Error::TooLong(length)) if length > 4096));
}

#[test]
fn flags_are_those_of_the_profile_and_spec_allow_when_it_names_none() {
    let mut profile = LinuxSeccomp::default();
    assert_eq!(filter::flags(&profile), 4);
    profile.set_flags(Some(Vec::new()));
    assert_eq!(filter::flags(&profile), 0);
    profile.set_flags(Some(vec![Flag::SeccompFilterFlagLog, Flag::SeccompFilterFlagTsync]));
    assert_eq!(filter::flags(&profile), 3);
}

#[test]
fn names_are_sorted_and_numbers_are_this_machines() {
    let machine = Machine::native().expect("these tests know x86-64 and arm64");
    let native = machine.architectures()[0];
    let names: Vec<_> = abi::syscalls(native).map(|(name, _)| name).collect();
    assert!(names.is_sorted());
    macro_rules! same {
        ($($name:ident $constant:ident),* $(,)?) => {
            $(assert_eq!(i64::from(number(native, stringify!($name))), libc::$constant, stringify!($name));)*
        };
    }
    same![
        read SYS_read, write SYS_write, openat SYS_openat, close SYS_close, mount SYS_mount, clone SYS_clone,
        clone3 SYS_clone3, unshare SYS_unshare, setns SYS_setns, socket SYS_socket, ptrace SYS_ptrace,
        personality SYS_personality, execve SYS_execve, exit_group SYS_exit_group, bpf SYS_bpf,
        seccomp SYS_seccomp, pivot_root SYS_pivot_root, umount2 SYS_umount2, reboot SYS_reboot,
        openat2 SYS_openat2, mount_setattr SYS_mount_setattr, move_mount SYS_move_mount,
        io_uring_setup SYS_io_uring_setup, keyctl SYS_keyctl, kexec_load SYS_kexec_load,
        process_vm_readv SYS_process_vm_readv, userfaultfd SYS_userfaultfd, rseq SYS_rseq,
        statx SYS_statx, close_range SYS_close_range, faccessat2 SYS_faccessat2,
    ];
}
