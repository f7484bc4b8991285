//! An OCI seccomp profile becomes one classic BPF program.
//!
//! Shape of the program, on x86-64:
//!
//! ```text
//! load arch ── x86-64? ── load number ── x32 bit? ──▶ tree of x32 numbers ──┐
//!                │                          └───────▶ tree of 64-bit numbers ┼─▶ verdict, or
//!                └── i386? ── load number ──────────▶ tree of i386 numbers ──┘   tests, verdict
//!                       └── another ──▶ kill the thread
//! ```
//!
//! Each tree is a balanced binary search over ranges of numbers that share a verdict: some eight
//! comparisons for Docker's profile. Since nothing but the ABI and the number is loaded before an
//! unconditional verdict, the kernel (5.11 and later) works out at load time which numbers are
//! always allowed, and does not run the program for those at all (`seccomp_cache_prepare` in
//! `kernel/seccomp.c`).
//!
//! A sub-architecture the profile lists is filtered by its own numbers. One it does not list has no
//! business in the container: the thread is killed, as libseccomp does. Entries for other machines'
//! ABIs say nothing here and are passed over; the machine's own ABI is always filtered, listed or
//! not.

use oci_spec::runtime::{LinuxSeccomp, LinuxSeccompFilterFlag, LinuxSeccompOperator};

use super::abi::{Abi, Machine, X32_BIT};
pub use super::action::Error;
use super::action::KILL_THREAD;
use super::bpf::{Assembler, Instruction, JEQ, JGE, JGT, Label, MAX_INSTRUCTIONS};
use super::verdicts::{Alternative, Leaf, Resolved, Segment, Test};

/// Offsets in `struct seccomp_data` (seccomp(2)); both machines are little-endian, so an argument's
/// lower word comes first.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;

/// A program for seccomp(2), ready to load.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Filter(Vec<Instruction>);

impl Filter {
    /// The program, first instruction first; never empty, never longer than the kernel takes.
    pub fn instructions(&self) -> &[Instruction] {
        &self.0
    }
}

/// Compiles a profile for the machine this runs on.
///
/// # Errors
/// [`Error`]; a name that is no syscall is not an error, the rule just has nothing to apply to.
pub fn compile(profile: &LinuxSeccomp) -> Result<Filter, Error> {
    let machine = Machine::native().ok_or(Error::Machine(std::env::consts::ARCH))?;
    compile_for(machine, profile)
}

/// Compiles a profile for a machine that need not be this one.
///
/// # Errors
/// As [`compile`].
pub fn compile_for(machine: Machine, profile: &LinuxSeccomp) -> Result<Filter, Error> {
    let resolved = Resolved::new(profile)?;
    let listed = |abi: &&Abi| profile.architectures().iter().flatten().any(|arch| *arch == abi.arch);
    let (native, others) = machine.abis().split_at(1);
    let abis = native.iter().chain(others.iter().filter(listed));

    let mut writer = Writer { asm: Assembler::default(), default: resolved.default };
    let doors: Vec<_> = abis.map(|abi| (abi, writer.tree(&resolved.segments(abi)))).collect();
    let start = writer.dispatch(machine, &doors);
    let program = writer.asm.finish(start);
    if program.len() > MAX_INSTRUCTIONS {
        return Err(Error::TooLong(program.len()));
    }
    Ok(Filter(program))
}

/// The flags of seccomp(2) a profile asks for. As with runc, a profile silent about flags gets
/// `SECCOMP_FILTER_FLAG_SPEC_ALLOW`: without it the kernel slows a filtered program down to guard
/// it from itself.
///
/// `SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV` is only legal with a listener, which [`compile`]
/// refuses, so it adds nothing.
pub fn flags(profile: &LinuxSeccomp) -> u32 {
    use LinuxSeccompFilterFlag as F;
    let bit = |flag: &F| match flag {
        F::SeccompFilterFlagTsync => 1,
        F::SeccompFilterFlagLog => 2,
        F::SeccompFilterFlagSpecAllow => 4,
        F::SeccompFilterFlagWaitKillableRecv => 0,
    };
    match profile.flags() {
        Some(flags) => flags.iter().map(bit).fold(0, |all, flag| all | flag),
        None => bit(&F::SeccompFilterFlagSpecAllow),
    }
}

struct Writer {
    asm: Assembler,
    default: u32,
}

impl Writer {
    /// The program's start: from the ABI of the call to the tree of its numbers.
    fn dispatch(&mut self, machine: Machine, doors: &[(&Abi, Label)]) -> Label {
        let foreign = self.asm.end(KILL_THREAD);
        let mut start = foreign;
        let x32 = doors.iter().find(|(abi, _)| abi.tag == X32_BIT).map_or(foreign, |(_, tree)| *tree);
        for (abi, tree) in doors.iter().rev().filter(|(abi, _)| abi.tag == 0) {
            let mut tree = *tree;
            if machine == Machine::X86_64 && abi.wide {
                // Number -1 is how a tracer says "skip this call": no x32 call, although the bit is
                // set.
                let tagged = self.asm.compare(JEQ, u32::MAX, tree, x32);
                tree = self.asm.compare(JGE, X32_BIT, tagged, tree);
            }
            let numbers = self.asm.load(NUMBER, tree);
            start = self.asm.compare(JEQ, abi.audit, numbers, start);
        }
        self.asm.load(ARCH, start)
    }

    /// Binary search for the segment of the loaded number.
    fn tree(&mut self, segments: &[Segment]) -> Label {
        match segments {
            [] => self.asm.end(self.default),
            [one] => self.leaf(&one.leaf),
            _ => {
                let (lower, upper) = segments.split_at(segments.len() / 2);
                let yes = self.tree(upper);
                let no = self.tree(lower);
                self.asm.compare(JGE, upper[0].start, yes, no)
            }
        }
    }

    fn leaf(&mut self, leaf: &Leaf) -> Label {
        match leaf {
            Leaf::Always(verdict) => self.asm.end(*verdict),
            Leaf::Arguments(alternatives) => {
                let default = self.asm.end(self.default);
                alternatives.iter().rev().fold(default, |no, alternative| self.alternative(alternative, no))
            }
        }
    }

    fn alternative(&mut self, alternative: &Alternative, no: Label) -> Label {
        let yes = self.asm.end(alternative.verdict);
        alternative.tests.iter().rev().fold(yes, |yes, test| self.test(test, yes, no))
    }

    /// One comparison; a 64-bit one is two of the 32-bit words BPF has, upper word first.
    fn test(&mut self, test: &Test, yes: Label, no: Label) -> Label {
        use LinuxSeccompOperator as Op;
        let (code, yes, no) = match test.op {
            Op::ScmpCmpMaskedEq => return self.masked(test, yes, no),
            Op::ScmpCmpEq => (JEQ, yes, no),
            Op::ScmpCmpGe => (JGE, yes, no),
            Op::ScmpCmpGt => (JGT, yes, no),
            Op::ScmpCmpNe => (JEQ, no, yes),
            Op::ScmpCmpLt => (JGE, no, yes),
            Op::ScmpCmpLe => (JGT, no, yes),
        };
        let lower = self.asm.compare(code, low(test.value), yes, no);
        let lower = self.asm.load(word(test, 0), lower);
        if !test.wide {
            return lower;
        }
        let mut upper = self.asm.compare(JEQ, high(test.value), lower, no);
        if code != JEQ {
            upper = self.asm.compare(JGT, high(test.value), yes, upper);
        }
        self.asm.load(word(test, 1), upper)
    }

    /// `argument & value == value_two`, leaving out a word the mask hides.
    fn masked(&mut self, test: &Test, yes: Label, no: Label) -> Label {
        let lower = self.masked_word(word(test, 0), low(test.value), low(test.value_two), yes, no);
        if !test.wide {
            return lower;
        }
        self.masked_word(word(test, 1), high(test.value), high(test.value_two), lower, no)
    }

    fn masked_word(&mut self, offset: u32, mask: u32, value: u32, yes: Label, no: Label) -> Label {
        if mask == 0 {
            return if value == 0 { yes } else { no };
        }
        let matched = self.asm.compare(JEQ, value, yes, no);
        let masked = self.asm.and(mask, matched);
        self.asm.load(offset, masked)
    }
}

/// Offset of the lower (0) or upper (1) word of the argument a test looks at.
fn word(test: &Test, half: u32) -> u32 {
    ARGUMENTS + 8 * test.index + 4 * half
}

fn low(value: u64) -> u32 {
    value as u32
}

fn high(value: u64) -> u32 {
    (value >> 32) as u32
}
