//! Docker's default seccomp profile as a table.
//!
//! Source of the facts: `seccomp/default.json` of github.com/moby/profiles (June 2026). Rows for
//! machines this crate has no syscall table for are not repeated.

use oci_spec::runtime::{Capability, LinuxSeccompOperator as Op};

use super::abi::Machine;

/// Calls that share an answer under one condition.
pub(super) struct Rule {
    /// Names, separated by blanks.
    pub names: &'static str,
    /// When the rule is part of the profile.
    pub when: When,
    /// The one argument it tests, if any: index, operator, value. A masked value is compared with
    /// 0.
    pub argument: Option<(usize, Op, u64)>,
    /// What it does.
    pub answer: Answer,
}

/// Condition on the container or the host.
pub(super) enum When {
    Always,
    /// The kernel is at least this version (major, minor).
    Kernel(u32, u32),
    Machine(Machine),
    Holds(Capability),
    Lacks(Capability),
}

/// What a rule does with a call.
pub(super) enum Answer {
    Allow,
    Errno(i32),
}

const fn allow(when: When, names: &'static str) -> Rule {
    Rule { names, when, argument: None, answer: Answer::Allow }
}

const fn allow_if(index: usize, op: Op, value: u64, names: &'static str) -> Rule {
    Rule { names, when: When::Always, argument: Some((index, op, value)), answer: Answer::Allow }
}

/// `CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET}` of `linux/sched.h`: no clone(2) may make a
/// namespace.
const NEW_NAMESPACE: u64 = 0x7e02_0000;

/// The rules, in Docker's order.
pub(super) static RULES: [Rule; 29] = [
    allow(When::Always, ORDINARY),
    // Before 4.8 a tracer could change a call after the filter had seen it.
    allow(When::Kernel(4, 8), "process_vm_readv process_vm_writev ptrace"),
    // Every address family but 38 (AF_ALG) and 40 (AF_VSOCK, which no network namespace confines).
    allow_if(0, Op::ScmpCmpLt, 38, "socket"),
    allow_if(0, Op::ScmpCmpEq, 39, "socket"),
    allow_if(0, Op::ScmpCmpGt, 40, "socket"),
    // PER_LINUX, PER_LINUX32, both with UNAME26, and the question "which one is it?".
    allow_if(0, Op::ScmpCmpEq, 0x0, "personality"),
    allow_if(0, Op::ScmpCmpEq, 0x8, "personality"),
    allow_if(0, Op::ScmpCmpEq, 0x2_0000, "personality"),
    allow_if(0, Op::ScmpCmpEq, 0x2_0008, "personality"),
    allow_if(0, Op::ScmpCmpEq, 0xffff_ffff, "personality"),
    allow(
        When::Machine(Machine::Aarch64),
        "arm_fadvise64_64 arm_sync_file_range sync_file_range2 breakpoint cacheflush set_tls",
    ),
    allow(When::Machine(Machine::X86_64), "arch_prctl"),
    allow(When::Machine(Machine::X86_64), "modify_ldt"),
    allow(When::Holds(Capability::DacReadSearch), "open_by_handle_at"),
    allow(
        When::Holds(Capability::SysAdmin),
        "bpf clone clone3 fanotify_init fsconfig fsmount fsopen fspick lookup_dcookie lsm_get_self_attr \
         lsm_list_modules lsm_set_self_attr mount mount_setattr move_mount open_tree perf_event_open quotactl \
         quotactl_fd setdomainname sethostname setns syslog umount umount2 unshare",
    ),
    Rule {
        names: "clone",
        when: When::Lacks(Capability::SysAdmin),
        argument: Some((0, Op::ScmpCmpMaskedEq, NEW_NAMESPACE)),
        answer: Answer::Allow,
    },
    // clone3 has its flags in memory, out of a filter's sight. ENOSYS makes the C library use clone
    // instead.
    Rule {
        names: "clone3",
        when: When::Lacks(Capability::SysAdmin),
        argument: None,
        answer: Answer::Errno(libc::ENOSYS),
    },
    allow(When::Holds(Capability::SysBoot), "reboot"),
    allow(When::Holds(Capability::SysChroot), "chroot"),
    allow(When::Holds(Capability::SysModule), "delete_module init_module finit_module"),
    allow(When::Holds(Capability::SysPacct), "acct"),
    allow(
        When::Holds(Capability::SysPtrace),
        "kcmp pidfd_getfd process_madvise process_vm_readv process_vm_writev ptrace",
    ),
    allow(When::Holds(Capability::SysRawio), "iopl ioperm"),
    allow(When::Holds(Capability::SysTime), "settimeofday stime clock_settime clock_settime64"),
    allow(When::Holds(Capability::SysTtyConfig), "vhangup"),
    allow(When::Holds(Capability::SysNice), "get_mempolicy mbind set_mempolicy set_mempolicy_home_node"),
    allow(When::Holds(Capability::Syslog), "syslog"),
    allow(When::Holds(Capability::Bpf), "bpf"),
    allow(When::Holds(Capability::Perfmon), "perf_event_open"),
];

/// What programs need every day, and what the kernel itself checks well enough.
const ORDINARY: &str = "\
    _llseek _newselect accept accept4 access adjtimex alarm bind brk cachestat capget capset \
    chdir chmod chown chown32 clock_adjtime clock_adjtime64 clock_getres clock_getres_time64 \
    clock_gettime clock_gettime64 clock_nanosleep clock_nanosleep_time64 close close_range \
    connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl \
    epoll_ctl_old epoll_pwait epoll_pwait2 epoll_wait epoll_wait_old eventfd eventfd2 execve \
    execveat exit exit_group faccessat faccessat2 fadvise64 fadvise64_64 fallocate \
    fanotify_mark fchdir fchmod fchmodat fchmodat2 fchown fchown32 fchownat fcntl fcntl64 \
    fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstat64 fstatat64 \
    fstatfs fstatfs64 fsync ftruncate ftruncate64 futex futex_requeue futex_time64 futex_wait \
    futex_waitv futex_wake futimesat get_robust_list get_thread_area getcpu getcwd getdents \
    getdents64 getegid getegid32 geteuid geteuid32 getgid getgid32 getgroups getgroups32 \
    getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid \
    getresgid32 getresuid getresuid32 getrlimit getrusage getsid getsockname getsockopt gettid \
    gettimeofday getuid getuid32 getxattr getxattrat inotify_add_watch inotify_init \
    inotify_init1 inotify_rm_watch io_cancel io_destroy io_getevents io_pgetevents \
    io_pgetevents_time64 io_setup io_submit ioctl ioprio_get ioprio_set ipc kill \
    landlock_add_rule landlock_create_ruleset landlock_restrict_self lchown lchown32 lgetxattr \
    link linkat listen listmount listxattr listxattrat llistxattr lremovexattr lseek lsetxattr \
    lstat lstat64 madvise map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir \
    mkdirat mknod mknodat mlock mlock2 mlockall mmap mmap2 mprotect mq_getsetattr mq_notify \
    mq_open mq_timedreceive mq_timedreceive_time64 mq_timedsend mq_timedsend_time64 mq_unlink \
    mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap name_to_handle_at \
    nanosleep newfstatat open openat openat2 pause pidfd_open pidfd_send_signal pipe pipe2 \
    pkey_alloc pkey_free pkey_mprotect poll ppoll ppoll_time64 prctl pread64 preadv preadv2 \
    prlimit64 process_mrelease pselect6 pselect6_time64 pwrite64 pwritev pwritev2 read \
    readahead readlink readlinkat readv recv recvfrom recvmmsg recvmmsg_time64 recvmsg \
    remap_file_pages removexattr removexattrat rename renameat renameat2 restart_syscall \
    riscv_hwprobe rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo \
    rt_sigreturn rt_sigsuspend rt_sigtimedwait rt_sigtimedwait_time64 rt_tgsigqueueinfo \
    sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr \
    sched_getparam sched_getscheduler sched_rr_get_interval sched_rr_get_interval_time64 \
    sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp \
    select semctl semget semop semtimedop semtimedop_time64 send sendfile sendfile64 sendmmsg \
    sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsgid32 \
    setfsuid setfsuid32 setgid setgid32 setgroups setgroups32 setitimer setpgid setpriority \
    setregid setregid32 setresgid setresgid32 setresuid setresuid32 setreuid setreuid32 \
    setrlimit setsid setsockopt setuid setuid32 setxattr setxattrat shmat shmctl shmdt shmget \
    shutdown sigaltstack signalfd signalfd4 sigprocmask sigreturn socketcall socketpair splice \
    stat stat64 statfs statfs64 statmount statx symlink symlinkat sync sync_file_range syncfs \
    sysinfo tee tgkill time timer_create timer_delete timer_getoverrun timer_gettime \
    timer_gettime64 timer_settime timer_settime64 timerfd_create timerfd_gettime \
    timerfd_gettime64 timerfd_settime timerfd_settime64 times tkill truncate truncate64 \
    ugetrlimit umask uname unlink unlinkat uretprobe utime utimensat utimensat_time64 utimes \
    vfork vmsplice wait4 waitid waitpid write writev";
