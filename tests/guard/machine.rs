//! A machine that runs classic BPF over a `struct seccomp_data`, as bpf(4) describes it.

use learn::runtime::guard::bpf::Instruction;
use learn::runtime::guard::filter::Filter;

pub const ALLOW: u32 = 0x7fff_0000;
pub const KILL_THREAD: u32 = 0;
pub const EPERM: u32 = 0x0005_0001;
pub const ENOSYS: u32 = 0x0005_0026;

pub const X86_64: u32 = 0xc000_003e;
pub const I386: u32 = 0x4000_0003;
pub const X32_BIT: u32 = 0x4000_0000;
pub const AARCH64: u32 = 0xc000_00b7;
pub const ARM: u32 = 0x4000_0028;

/// How a run ended.
#[derive(Debug, PartialEq)]
pub struct Run {
    pub verdict: u32,
    pub steps: usize,
    /// Whether an argument was looked at; the kernel can only cache verdicts that need none.
    pub saw_arguments: bool,
}

pub fn verdict(filter: &Filter, arch: u32, number: u32, args: [u64; 6]) -> u32 {
    run(filter.instructions(), arch, number, args).verdict
}

pub fn run(program: &[Instruction], arch: u32, number: u32, args: [u64; 6]) -> Run {
    let load = |offset: u32| match offset {
        0 => number,
        4 => arch,
        16..64 if offset & 7 == 0 => args[(offset as usize - 16) / 8] as u32,
        16..64 if offset & 7 == 4 => (args[(offset as usize - 16) / 8] >> 32) as u32,
        _ => panic!("load of offset {offset}"),
    };
    let (mut at, mut word, mut saw_arguments) = (0, 0, false);
    for steps in 1.. {
        let Instruction { code, jt, jf, k } = program[at];
        at += 1;
        let skip = |holds: bool| usize::from(if holds { jt } else { jf });
        match code {
            0x20 => {
                word = load(k);
                saw_arguments |= k >= 16;
            }
            0x54 => word &= k,
            0x05 => at += k as usize,
            0x15 => at += skip(word == k),
            0x25 => at += skip(word > k),
            0x35 => at += skip(word >= k),
            0x06 => return Run { verdict: k, steps, saw_arguments },
            _ => panic!("unknown instruction {code:#x}"),
        }
    }
    unreachable!("jumps only go forward");
}
