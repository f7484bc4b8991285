//! The only unsafe code of this crate: system calls that no safe wrapper covers.
#![allow(unsafe_code)]

use std::io;
use std::mem::size_of;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

/// The two returns of clone3(2).
#[derive(Debug)]
pub enum Cloned {
    /// In the caller: the child's pid and a pidfd of it.
    Parent {
        /// As the caller's pid namespace numbers it.
        pid: u32,
        /// Readable when the child has ended.
        pidfd: OwnedFd,
    },
    /// In the child.
    Child,
}

/// clone3(2) without a new stack, like fork(2), with `CLONE_PIDFD` and the given flags: `CLONE_NEW*`, or
/// `CLONE_PARENT`, which wants an `exit_signal` of 0. With a directory of the unified cgroup hierarchy, into
/// that group.
///
/// # Errors
/// As clone3(2): EPERM without privilege, ENOSPC when a namespace limit is reached.
///
/// The caller must be single-threaded: the child has a copy of the caller's memory, and a lock that another
/// thread held would stay locked forever. Nursery, shim and init are; the daemon never calls this.
pub fn clone3(flags: u64, exit_signal: i32, group: Option<BorrowedFd<'_>>) -> io::Result<Cloned> {
    let mut pidfd: RawFd = -1;
    // SAFETY: clone_args is a plain struct of integers for which all zeroes is the documented neutral value.
    let mut args: libc::clone_args = unsafe { std::mem::zeroed() };
    args.flags = flags | libc::CLONE_PIDFD as u64;
    args.pidfd = (&raw mut pidfd) as u64;
    if let Some(group) = group {
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = u64::from(group.as_raw_fd().cast_unsigned());
    }
    args.exit_signal = exit_signal as u64;
    // SAFETY: args outlives the call, its size is passed along, and without CLONE_VM the child continues on a
    // copy of this stack, so every reference stays valid on both sides.
    let result = unsafe { libc::syscall(libc::SYS_clone3, &raw const args, size_of::<libc::clone_args>()) };
    match result {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Cloned::Child),
        pid => Ok(Cloned::Parent {
            pid: u32::try_from(pid).unwrap_or_default(),
            // SAFETY: on success the kernel stored a fresh descriptor that nobody else owns.
            pidfd: unsafe { OwnedFd::from_raw_fd(pidfd) },
        }),
    }
}

/// linux/sched.h: the bit does not fit into the type of libc's constant.
const CLONE_INTO_CGROUP: u64 = 1 << 33;

/// Ends the process at once: no destructors, no buffers of the parent's flushed twice. _exit(2).
pub fn exit_now(code: i32) -> ! {
    // SAFETY: _exit never returns and touches no memory of ours.
    unsafe { libc::_exit(code) }
}

/// Loads a classic BPF program as this thread's seccomp filter: seccomp(2), SECCOMP_SET_MODE_FILTER.
///
/// # Errors
/// EACCES without CAP_SYS_ADMIN or no-new-privileges, EINVAL for a malformed program.
pub fn load_seccomp(program: &[(u16, u8, u8, u32)]) -> io::Result<()> {
    let filter: Vec<libc::sock_filter> =
        program.iter().map(|&(code, jt, jf, k)| libc::sock_filter { code, jt, jf, k }).collect();
    let fprog = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| io::Error::from_raw_os_error(libc::EINVAL))?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: fprog points at filter, which outlives the call; the kernel copies both and writes to neither.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, libc::SECCOMP_SET_MODE_FILTER, 0, &raw const fprog) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Sets IFF_UP on an interface: netdevice(7), SIOCSIFFLAGS.
///
/// # Errors
/// ENODEV for an unknown interface, EPERM without CAP_NET_ADMIN in the namespace.
pub fn link_up(socket: RawFd, interface: &str) -> io::Result<()> {
    // SAFETY: ifreq is a plain struct of integers and arrays; all zeroes is valid.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    if interface.len() >= request.ifr_name.len() {
        return Err(io::Error::from_raw_os_error(libc::ENODEV));
    }
    for (slot, byte) in request.ifr_name.iter_mut().zip(interface.bytes()) {
        *slot = byte as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: request is a valid, NUL-terminated ifreq that outlives the call; the socket is the caller's.
    let result = unsafe { libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Bytes written to a socket that the other end has not read, with their bookkeeping: SIOCOUTQ,
/// unix(7). 0 when everything was read.
///
/// # Errors
/// As ioctl(2).
pub fn unread(socket: BorrowedFd<'_>) -> io::Result<u32> {
    let mut count: libc::c_int = 0;
    // SAFETY: the kernel stores one int, which outlives the call.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(u32::try_from(count).unwrap_or_default()) }
}

/// Marks every descriptor from `first` on close-on-exec: close_range(2), CLOSE_RANGE_CLOEXEC.
///
/// # Errors
/// As close_range(2).
pub fn cloexec_from(first: u32) -> io::Result<()> {
    // SAFETY: only flags of descriptors change; none is closed, so no owner is surprised.
    let result = unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, libc::CLOSE_RANGE_CLOEXEC) };
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Closes every descriptor from `first` on: close_range(2). For a process that returns to nobody
/// who could still own one.
///
/// # Errors
/// As close_range(2).
pub fn close_from(first: u32) -> io::Result<()> {
    // SAFETY: the only caller waits for its child and then exits without running destructors.
    check(unsafe { libc::syscall(libc::SYS_close_range, first, u32::MAX, 0) })
}

/// Makes these bytes, words that end with NUL, the command line proc(5) shows of this process:
/// prctl(2), PR_SET_MM_ARG_START and PR_SET_MM_ARG_END. They stay for the rest of its life.
///
/// # Errors
/// EPERM without CAP_SYS_RESOURCE.
pub fn set_command_line(words: Vec<u8>) -> io::Result<()> {
    let words: &'static [u8] = words.leak();
    let bounds = words.as_ptr_range();
    let places =
        [(libc::PR_SET_MM_ARG_START, bounds.start.addr()), (libc::PR_SET_MM_ARG_END, bounds.end.addr())];
    for (which, address) in places {
        // SAFETY: the kernel only notes the addresses, which are of memory that is never given back.
        check(libc::c_long::from(unsafe { libc::prctl(libc::PR_SET_MM, which, address, 0, 0) }))?;
    }
    Ok(())
}

/// Waits for the next signal, all of them being blocked; its number: sigwaitinfo(2).
///
/// # Errors
/// As sigwaitinfo(2).
pub fn next_signal() -> io::Result<i32> {
    let mut all = std::mem::MaybeUninit::uninit();
    // SAFETY: sigfillset fills the set it is given; a null `siginfo_t` asks for none.
    let signal = unsafe {
        libc::sigfillset(all.as_mut_ptr());
        libc::sigwaitinfo(all.as_ptr(), std::ptr::null_mut())
    };
    if signal == -1 { Err(io::Error::last_os_error()) } else { Ok(signal) }
}

/// Sends any signal to a child that was not reaped yet, so that the number is its own: kill(2).
///
/// # Errors
/// As kill(2).
pub fn kill(pid: i32, signal: i32) -> io::Result<()> {
    // SAFETY: no memory of ours is touched.
    check(libc::c_long::from(unsafe { libc::kill(pid, signal) }))
}

/// `struct mount_attr`: mount_setattr(2).
#[repr(C)]
struct MountAttr {
    set: u64,
    clear: u64,
    propagation: u64,
    userns_fd: u64,
}

const MOUNT_ATTR_RDONLY: u64 = 1;

/// Makes a detached mount read-only: `mount_setattr(tree, "", AT_EMPTY_PATH, {MOUNT_ATTR_RDONLY})`.
///
/// # Errors
/// As mount_setattr(2); `ENOSYS` before Linux 5.12.
pub fn mount_read_only(tree: BorrowedFd<'_>) -> io::Result<()> {
    let attr = MountAttr { set: MOUNT_ATTR_RDONLY, clear: 0, propagation: 0, userns_fd: 0 };
    // SAFETY: `tree` is open for the length of the borrow, the path is a NUL-terminated constant,
    // and `attr` is a live `struct mount_attr` whose size is passed along; the kernel only reads it.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            &raw const attr,
            size_of::<MountAttr>(),
        )
    };
    check(result)
}

/// Sends any signal, real-time ones included, to the process behind a pidfd.
///
/// # Errors
/// As pidfd_send_signal(2).
pub fn pidfd_send_signal(pidfd: BorrowedFd<'_>, signal: i32) -> io::Result<()> {
    // SAFETY: `pidfd` is open for the length of the borrow; a null `siginfo_t` means what kill(2)
    // would send, and no memory of ours is touched.
    let result = unsafe {
        libc::syscall(
            libc::SYS_pidfd_send_signal,
            pidfd.as_raw_fd(),
            signal,
            std::ptr::null::<libc::siginfo_t>(),
            0,
        )
    };
    check(result)
}

/// Gives every signal its default action. An ignored signal stays ignored across execve(2), and
/// Rust's runtime ignores SIGPIPE: a program that writes to a pipe nobody reads would go on for ever.
pub fn default_signals() {
    for signal in 1..=libc::SIGRTMAX() {
        // SAFETY: SIG_DFL installs no code of ours; for SIGKILL, SIGSTOP and the C library's own
        // signals the call fails and changes nothing.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
}

fn check(result: libc::c_long) -> io::Result<()> {
    match result {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Gives back the resident pages of code and constants: madvise(2), MADV_DONTNEED. They are the
/// executable's and its libraries' own, so each comes back from the page cache when it is next
/// touched. A process that will mostly wait has no use for them.
///
/// # Errors
/// When /proc/self/maps cannot be read: proc_pid_maps(5).
pub fn release_code() -> io::Result<()> {
    for line in std::fs::read_to_string("/proc/self/maps")?.lines() {
        let mut fields = line.split_ascii_whitespace();
        let (Some(range), Some(mode), Some(offset)) = (fields.next(), fields.next(), fields.next()) else {
            continue;
        };
        let from_file = fields.nth(2).is_some_and(|path| path.starts_with('/'));
        // Constants come first in a file; a later read-only part may be relocated, so written to.
        let untouched = mode == "r-xp" || (mode == "r--p" && offset.bytes().all(|digit| digit == b'0'));
        let address = |text| usize::from_str_radix(text, 16).ok();
        let bounds = range.split_once('-').and_then(|(start, end)| Some((address(start)?, address(end)?)));
        let (true, true, Some((start, end))) = (from_file, untouched, bounds) else { continue };
        // SAFETY: the range is a private mapping of a file that nothing ever wrote to through this
        // mapping, so dropping its pages changes no byte that is read from it later.
        unsafe { libc::madvise(start as *mut libc::c_void, end - start, libc::MADV_DONTNEED) };
    }
    Ok(())
}

/// Gives free pages of the heap back: malloc_trim(3), which only the GNU C library has.
pub fn release_heap() {
    #[cfg(target_env = "gnu")]
    // SAFETY: it frees only what no allocation uses, under the allocator's own locks.
    unsafe {
        libc::malloc_trim(0);
    }
}

// linux/bpf.h.
const BPF_PROG_LOAD: libc::c_long = 5;
const BPF_PROG_ATTACH: libc::c_long = 8;
const BPF_PROG_TYPE_CGROUP_DEVICE: u32 = 15;
const BPF_CGROUP_DEVICE: u32 = 6;
/// Groups below may have programs of their own, and all of them must say yes.
const BPF_F_ALLOW_MULTI: u32 = 2;

/// The start of `union bpf_attr` for `BPF_PROG_LOAD`; the rest is optional.
#[repr(C)]
struct ProgramLoad {
    program_type: u32,
    instruction_count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The same for `BPF_PROG_ATTACH`.
#[repr(C)]
struct ProgramAttach {
    target: u32,
    program: u32,
    attach_type: u32,
    flags: u32,
}

/// Loads an eBPF program (code, registers, offset, constant) and attaches it to a group of the
/// unified hierarchy as its guard of devices: bpf(2), `BPF_CGROUP_DEVICE`.
///
/// # Errors
/// EPERM without privilege, EINVAL and EACCES when the verifier refuses the program or the kernel
/// was built without CONFIG_CGROUP_BPF.
pub fn attach_device_filter(group: BorrowedFd<'_>, program: &[(u8, u8, i16, i32)]) -> io::Result<()> {
    let program = load_device_filter(program)?;
    let attach = ProgramAttach {
        target: group.as_raw_fd().cast_unsigned(),
        program: program.as_raw_fd().cast_unsigned(),
        attach_type: BPF_CGROUP_DEVICE,
        flags: BPF_F_ALLOW_MULTI,
    };
    // SAFETY: attach outlives the call and its size is passed along; both descriptors are open.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, BPF_PROG_ATTACH, &raw const attach, size_of::<ProgramAttach>())
    };
    check(result)
}

fn load_device_filter(program: &[(u8, u8, i16, i32)]) -> io::Result<OwnedFd> {
    // Eight bytes each, numbers in the machine's own order: `struct bpf_insn`.
    let mut instructions = Vec::with_capacity(program.len() * 8);
    for (code, registers, offset, constant) in program {
        // The two registers are bit fields, whose order is that of the bytes.
        let registers = if cfg!(target_endian = "big") { registers.rotate_left(4) } else { *registers };
        instructions.extend([*code, registers]);
        instructions.extend(offset.to_ne_bytes());
        instructions.extend(constant.to_ne_bytes());
    }
    let load = ProgramLoad {
        program_type: BPF_PROG_TYPE_CGROUP_DEVICE,
        instruction_count: u32::try_from(program.len())
            .map_err(|_| io::Error::from_raw_os_error(libc::E2BIG))?,
        instructions: instructions.as_ptr().expose_provenance() as u64,
        license: c"Apache-2.0".as_ptr().expose_provenance() as u64,
        log_level: 0,
        log_size: 0,
        log: 0,
        kernel_version: 0,
        flags: 0,
    };
    // SAFETY: load, the instructions and the NUL-terminated license outlive the call, and the
    // counts are theirs; the kernel copies all three and writes to none.
    let result =
        unsafe { libc::syscall(libc::SYS_bpf, BPF_PROG_LOAD, &raw const load, size_of::<ProgramLoad>()) };
    match RawFd::try_from(result) {
        Ok(descriptor) if descriptor >= 0 => {
            // SAFETY: the kernel made this descriptor for us (close-on-exec), nobody else owns it.
            Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
        }
        _ => Err(io::Error::last_os_error()),
    }
}
