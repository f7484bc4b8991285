//! Device rules as an eBPF program, for cgroup v2, which has no file for them: bpf(2),
//! `BPF_PROG_TYPE_CGROUP_DEVICE`.
//!
//! The kernel asks the program before it opens or makes a device node; 1 is yes, 0 is EPERM. It is
//! told the kind and the access wanted in one word, then major and minor (`struct
//! bpf_cgroup_dev_ctx`). Rules are tried last first, because the last that matches decides, and
//! each access bit by itself: to open for reading and writing, both must be allowed, be it by two
//! rules. What no rule decides is denied.

use super::devices::Rule;

/// One instruction: code, registers (destination in the low half, source in the high), jump
/// offset, constant. `struct bpf_insn` of `linux/bpf.h`.
pub type Instruction = (u8, u8, i16, i32);

/// Where the kernel leaves the address of the context.
const CONTEXT: u8 = 1;
/// The answer.
const ANSWER: u8 = 0;
const KIND: u8 = 2;
const MAJOR: u8 = 3;
const MINOR: u8 = 4;
/// Access bits no rule has decided yet.
const WANTED: u8 = 5;
const SCRATCH: u8 = 6;

// Opcodes: kernel documentation, bpf/standardization/instruction-set.
const LOAD_WORD: u8 = 0x61;
const MOVE: u8 = 0xb7;
const MOVE_REGISTER: u8 = 0xbf;
const AND: u8 = 0x57;
const SHIFT_RIGHT: u8 = 0x77;
const JUMP_IF_EQUAL: u8 = 0x15;
const JUMP_IF_NOT_EQUAL: u8 = 0x55;
const EXIT: u8 = 0x95;

/// Compiles `rules`. A rule about everything ends the program: the kernel's verifier refuses
/// instructions that can never be reached.
pub(super) fn compile(rules: &[Rule]) -> Vec<Instruction> {
    let mut program = vec![
        (LOAD_WORD, KIND | CONTEXT << 4, 0, 0),
        (LOAD_WORD, MAJOR | CONTEXT << 4, 4, 0),
        (LOAD_WORD, MINOR | CONTEXT << 4, 8, 0),
        // The low half of the first word is the kind, the high half the access.
        (MOVE_REGISTER, WANTED | KIND << 4, 0, 0),
        (SHIFT_RIGHT, WANTED, 0, 16),
        (AND, KIND, 0, 0xffff),
    ];
    for rule in rules.iter().rev() {
        if rule.is_total() {
            answer(&mut program, rule.allow);
            return program;
        }
        let verdict = verdict(rule);
        append_tests(&mut program, rule, verdict.len());
        program.extend(verdict);
    }
    answer(&mut program, false);
    program
}

/// Tests that lead past the verdict when the rule is about another device.
fn append_tests(program: &mut Vec<Instruction>, rule: &Rule, verdict: usize) {
    let tests = [
        rule.kind.map(|kind| (JUMP_IF_NOT_EQUAL, KIND, kind as i32)),
        rule.major.map(|major| (JUMP_IF_NOT_EQUAL, MAJOR, major)),
        rule.minor.map(|minor| (JUMP_IF_NOT_EQUAL, MINOR, minor)),
    ];
    let tests: Vec<_> = tests.into_iter().flatten().collect();
    for (index, (code, register, value)) in tests.iter().enumerate() {
        let past = tests.len() - 1 - index + verdict;
        program.push((*code, *register, past as i16, *value));
    }
}

/// What happens to a request the rule is about.
fn verdict(rule: &Rule) -> Vec<Instruction> {
    let bits = i32::from(rule.access);
    let mut verdict = if rule.allow {
        vec![(AND, WANTED, 0, !bits), (JUMP_IF_NOT_EQUAL, WANTED, 2, 0)]
    } else {
        vec![
            (MOVE_REGISTER, SCRATCH | WANTED << 4, 0, 0),
            (AND, SCRATCH, 0, bits),
            (JUMP_IF_EQUAL, SCRATCH, 2, 0),
        ]
    };
    answer(&mut verdict, rule.allow);
    verdict
}

fn answer(program: &mut Vec<Instruction>, allow: bool) {
    program.push((MOVE, ANSWER, 0, i32::from(allow)));
    program.push((EXIT, 0, 0, 0));
}

#[cfg(test)]
mod tests {
    use super::super::devices::{Kind, MAKE, READ, WRITE, rules};
    use super::*;
    use crate::runtime::guard::paths;
    use oci_spec::runtime::LinuxResources;

    /// What the kernel would answer: runs the program over one context.
    fn ask(program: &[Instruction], kind: Kind, access: u8, major: i32, minor: i32) -> bool {
        let context = [i64::from(access) << 16 | kind as i64, i64::from(major), i64::from(minor)];
        let mut registers = [0i64; 7];
        let mut at = 0;
        loop {
            let (code, names, offset, constant) = program[at];
            let (to, from) = (usize::from(names & 0xf), usize::from(names >> 4));
            let constant = i64::from(constant);
            let mut jump = false;
            match code {
                LOAD_WORD => registers[to] = context[offset as usize / 4],
                MOVE => registers[to] = constant,
                MOVE_REGISTER => registers[to] = registers[from],
                AND => registers[to] &= constant,
                SHIFT_RIGHT => registers[to] >>= constant,
                JUMP_IF_EQUAL => jump = registers[to] == constant,
                JUMP_IF_NOT_EQUAL => jump = registers[to] != constant,
                EXIT => return registers[0] == 1,
                other => panic!("{other:#x} is no instruction of ours"),
            }
            at += 1 + if jump { offset as usize } else { 0 };
        }
    }

    /// The definition: for each access bit the last rule about it decides.
    fn defined(rules: &[Rule], kind: Kind, access: u8, major: i32, minor: i32) -> bool {
        let about = |rule: &&Rule, bit: u8| {
            rule.kind.is_none_or(|k| k == kind)
                && rule.major.is_none_or(|m| m == major)
                && rule.minor.is_none_or(|m| m == minor)
                && rule.access & bit != 0
        };
        [MAKE, READ, WRITE]
            .into_iter()
            .filter(|bit| access & bit != 0)
            .all(|bit| rules.iter().rev().find(|rule| about(rule, bit)).is_some_and(|rule| rule.allow))
    }

    #[test]
    fn the_program_decides_as_the_last_matching_rule_does() {
        let fields = |allow, kind, major, minor, access| Rule { allow, kind, major, minor, access };
        let (b, c) = (Some(Kind::Block), Some(Kind::Character));
        let lists = [
            vec![],
            vec![fields(true, None, None, None, 7)],
            vec![fields(true, None, None, None, 7), fields(false, b, None, None, READ | WRITE)],
            vec![fields(true, c, Some(1), None, 7), fields(false, c, Some(1), Some(3), WRITE)],
            vec![fields(true, c, Some(1), Some(3), READ), fields(true, c, Some(1), Some(3), WRITE)],
            vec![fields(false, None, None, None, 7), fields(true, None, Some(8), None, MAKE)],
            vec![fields(true, b, Some(8), Some(0), 7), fields(false, None, None, None, 7)],
            rules(LinuxResources::default().set_devices(Some(paths::device_rules()))).unwrap(),
        ];
        for rules in &lists {
            let program = compile(rules);
            for kind in [Kind::Block, Kind::Character] {
                for (major, minor) in [(1, 3), (1, 11), (8, 0), (10, 229), (136, 4095), (4095, 1_048_575)] {
                    for access in 1..8 {
                        let expected = defined(rules, kind, access, major, minor);
                        let answer = ask(&program, kind, access, major, minor);
                        assert_eq!(answer, expected, "{rules:?}: {kind:?} {major}:{minor} {access}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_instruction_is_out_of_reach() {
        let rules = rules(LinuxResources::default().set_devices(Some(paths::device_rules()))).unwrap();
        let program = compile(&rules);
        let mut reached = vec![false; program.len()];
        let mut open = vec![0];
        while let Some(at) = open.pop() {
            if std::mem::replace(&mut reached[at], true) || program[at].0 == EXIT {
                continue;
            }
            open.push(at + 1);
            if [JUMP_IF_EQUAL, JUMP_IF_NOT_EQUAL].contains(&program[at].0) {
                open.push(at + 1 + program[at].2 as usize);
            }
        }
        assert!(reached.iter().all(|reached| *reached), "{program:?}");
    }
}
