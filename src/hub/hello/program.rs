//! `/hello`, the only file of the built-in `hello-world` image: writes its message, then exits.
//!
//! A program of its own, not a module of `learn`: `src/hub/build.rs` compiles it into a static
//! ELF file that needs no C library, no loader and no second file in its container. It therefore
//! makes its two system calls itself, which is why this file contains `unsafe`.

#![no_std]
#![no_main]

use core::arch::{asm, global_asm};

static MESSAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/message.txt"));

const STDOUT: usize = 1;
const EINTR: isize = 4;

// The kernel jumps to `_start` with the stack aligned to 16 bytes and no return address on it.
// A function expects to have been *called*, so three instructions stand in between. The frame
// pointer is cleared to mark the outermost frame (System V ABI, AMD64 3.4.1; AAPCS64 6.4.6).
#[cfg(target_arch = "x86_64")]
global_asm!(".globl _start", "_start:", "xor ebp, ebp", "call {main}", "ud2", main = sym main);
#[cfg(target_arch = "aarch64")]
global_asm!(".globl _start", "_start:", "mov x29, xzr", "mov x30, xzr", "b {main}", main = sym main);

/// Prints the message. Exit status 0, or 1 if standard output does not take it.
extern "C" fn main() -> ! {
    let mut rest = MESSAGE.as_bytes();
    // A pipe may take a part only: write(2) says how much.
    while !rest.is_empty() {
        match write(STDOUT, rest) {
            written if written > 0 => rest = rest.get(written.unsigned_abs()..).unwrap_or(&[]),
            error if error == -EINTR => {}
            _ => exit(1),
        }
    }
    exit(0)
}

/// write(2): the number of bytes taken, or a negated errno.
fn write(descriptor: usize, bytes: &[u8]) -> isize {
    #[cfg(target_arch = "x86_64")]
    const WRITE: usize = 1;
    #[cfg(target_arch = "aarch64")]
    const WRITE: usize = 64;
    // SAFETY: write(2) only reads `bytes.len()` bytes from `bytes.as_ptr()`, and the slice is
    // borrowed for the whole call. It changes no memory of this program.
    unsafe { syscall(WRITE, descriptor, bytes.as_ptr() as usize, bytes.len()) }
}

/// exit_group(2): ends the program.
fn exit(status: usize) -> ! {
    #[cfg(target_arch = "x86_64")]
    const EXIT_GROUP: usize = 231;
    #[cfg(target_arch = "aarch64")]
    const EXIT_GROUP: usize = 94;
    loop {
        // SAFETY: exit_group(2) takes a number and touches no memory.
        unsafe { syscall(EXIT_GROUP, status, 0, 0) };
    }
}

/// One system call of up to three arguments; the raw result (syscall(2), "Architecture calling
/// conventions").
///
/// # Safety
/// The arguments must be what system call `number` expects; where they are addresses, memory
/// that the kernel may use as that call does.
#[cfg(target_arch = "x86_64")]
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the caller vouches for the arguments. `syscall` overwrites rax (the result), rcx and
    // r11, all three declared; the kernel keeps every other register and the stack.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") a,
            in("rsi") b,
            in("rdx") c,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// One system call of up to three arguments; the raw result (syscall(2), "Architecture calling
/// conventions").
///
/// # Safety
/// The arguments must be what system call `number` expects; where they are addresses, memory
/// that the kernel may use as that call does.
#[cfg(target_arch = "aarch64")]
unsafe fn syscall(number: usize, a: usize, b: usize, c: usize) -> isize {
    let result;
    // SAFETY: the caller vouches for the arguments. `svc 0` overwrites x0 (the result) only; the
    // kernel keeps every other register and the stack.
    unsafe {
        asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") a => result,
            in("x1") b,
            in("x2") c,
            options(nostack),
        );
    }
    result
}

/// Nothing above panics; the language asks for this function all the same.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    exit(101)
}
