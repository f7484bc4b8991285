//! Classic BPF, as much of it as a seccomp filter needs: the instruction and a small assembler.
//!
//! Jumps in classic BPF only go forward, and a conditional one reaches 255 instructions at most.
//! The assembler therefore writes programs backwards: whatever an instruction jumps to is there
//! before the instruction is, so its distance is known and a target too far away gets a stepping
//! stone at once. Source: bpf(4), the kernel's `linux/filter.h` and `linux/bpf_common.h`.

/// One instruction, field for field the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Instruction {
    /// Operation, one of the constants below.
    pub code: u16,
    /// Instructions to skip when a comparison holds.
    pub jt: u8,
    /// Instructions to skip when it does not.
    pub jf: u8,
    /// Operand: an offset, a constant, a distance or a return value.
    pub k: u32,
}

/// `BPF_LD | BPF_W | BPF_ABS`: load the 32-bit word at offset k of `struct seccomp_data`.
pub const LOAD: u16 = 0x20;
/// `BPF_ALU | BPF_AND | BPF_K`: mask the loaded word with k.
pub const AND: u16 = 0x54;
/// `BPF_JMP | BPF_JA`: skip k instructions.
pub const JUMP: u16 = 0x05;
/// `BPF_JMP | BPF_JEQ | BPF_K`: is the word equal to k?
pub const JEQ: u16 = 0x15;
/// `BPF_JMP | BPF_JGT | BPF_K`: is the word above k, unsigned?
pub const JGT: u16 = 0x25;
/// `BPF_JMP | BPF_JGE | BPF_K`: is the word k or above, unsigned?
pub const JGE: u16 = 0x35;
/// `BPF_RET | BPF_K`: end with the verdict k.
pub const RETURN: u16 = 0x06;

/// The longest program the kernel loads (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// Farthest target a conditional jump is given: one less than it can reach, because making its
/// other target reachable may put one instruction in between.
const REACH: usize = 254;

/// A place in a program being written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Label(usize);

/// Writes a program from its end to its start.
#[derive(Debug, Default)]
pub(super) struct Assembler {
    backwards: Vec<Instruction>,
    /// The latest return of each verdict; few, so a list is faster than a map.
    returns: Vec<(u32, Label)>,
}

impl Assembler {
    /// Ends the program with `verdict`; reuses the same return when one is near.
    pub(super) fn end(&mut self, verdict: u32) -> Label {
        let known = self.returns.iter().position(|(value, _)| *value == verdict);
        if let Some(at) = known {
            let label = self.returns[at].1;
            if self.distance(label) < REACH {
                return label;
            }
            self.returns.swap_remove(at);
        }
        let label = self.push(Instruction { code: RETURN, jt: 0, jf: 0, k: verdict });
        self.returns.push((verdict, label));
        label
    }

    /// Loads the word at `offset` of `struct seccomp_data`, then goes to `next`.
    pub(super) fn load(&mut self, offset: u32, next: Label) -> Label {
        self.step(LOAD, offset, next)
    }

    /// Masks the loaded word, then goes to `next`.
    pub(super) fn and(&mut self, mask: u32, next: Label) -> Label {
        self.step(AND, mask, next)
    }

    /// Compares the loaded word with `k` by `code`, then goes to `yes` or `no`.
    pub(super) fn compare(&mut self, code: u16, k: u32, yes: Label, no: Label) -> Label {
        if yes == no {
            return yes;
        }
        let yes = self.near(yes);
        let no = self.near(no);
        let (jt, jf) = (self.short(yes), self.short(no));
        self.push(Instruction { code, jt, jf, k })
    }

    /// The program, first instruction first. `start` must be the label everything else was built
    /// under.
    pub(super) fn finish(mut self, start: Label) -> Vec<Instruction> {
        self.fall_into(start);
        self.backwards.reverse();
        self.backwards
    }

    fn step(&mut self, code: u16, k: u32, next: Label) -> Label {
        self.fall_into(next);
        self.push(Instruction { code, jt: 0, jf: 0, k })
    }

    /// Makes `next` the instruction that follows the one to be written now.
    fn fall_into(&mut self, next: Label) {
        if self.distance(next) > 0 {
            self.jump(next);
        }
    }

    /// `target`, or a jump to it that a conditional jump can reach.
    fn near(&mut self, target: Label) -> Label {
        if self.distance(target) <= REACH { target } else { self.jump(target) }
    }

    fn jump(&mut self, target: Label) -> Label {
        let k = u32::try_from(self.distance(target)).unwrap_or(u32::MAX);
        self.push(Instruction { code: JUMP, jt: 0, jf: 0, k })
    }

    fn push(&mut self, instruction: Instruction) -> Label {
        self.backwards.push(instruction);
        Label(self.backwards.len() - 1)
    }

    /// Instructions an instruction written now would have to skip to get to `label`.
    fn distance(&self, label: Label) -> usize {
        self.backwards.len() - 1 - label.0
    }

    fn short(&self, label: Label) -> u8 {
        u8::try_from(self.distance(label)).unwrap_or(u8::MAX)
    }
}
