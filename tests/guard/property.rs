//! The compiled program and the profile read naively agree, number by number.

use learn::runtime::guard::abi::{self, Machine};
use learn::runtime::guard::bpf::{JUMP, RETURN};
use learn::runtime::guard::capability;
use learn::runtime::guard::filter::compile_for;
use learn::runtime::guard::profile::default_profile_for;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction as Action, LinuxSeccompArg, LinuxSeccompArgBuilder,
    LinuxSeccompOperator as Op, LinuxSyscallBuilder,
};

use super::machine::{self, AARCH64, ARM, I386, X32_BIT, X86_64};
use super::naive::{self, Reading};

const DOORS: [(Machine, Arch, u32, u32); 5] = [
    (Machine::X86_64, Arch::ScmpArchX86_64, X86_64, 0),
    (Machine::X86_64, Arch::ScmpArchX86, I386, 0),
    (Machine::X86_64, Arch::ScmpArchX32, X86_64, X32_BIT),
    (Machine::Aarch64, Arch::ScmpArchAarch64, AARCH64, 0),
    (Machine::Aarch64, Arch::ScmpArchArm, ARM, 0),
];

fn assert_agreement(profile: &LinuxSeccomp, machine: Machine) {
    let filter = compile_for(machine, profile).unwrap();
    for (_, arch, audit, tag) in DOORS.iter().filter(|door| door.0 == machine) {
        let newest = naive::newest(profile, *arch);
        let numbers = (0..600).chain(0xeffff..0xf0008).chain([0x3fff_ffff]).map(|number| number | tag);
        for number in numbers.filter(|number| !is_multiplexer(*arch, *number)) {
            let reading = Reading::of(profile, *arch, number, newest);
            let values = reading.interesting();
            for (at, value) in values.iter().enumerate() {
                let other = values[(at * 7 + 3) % values.len()];
                for args in [[*value; 6], [*value, other, *value, other, *value, other]] {
                    let found = machine::verdict(&filter, *audit, number, args);
                    assert_eq!(found, reading.verdict(args), "{arch} {number:#x} {args:x?}");
                }
            }
        }
    }
}

/// socketcall(2) and ipc(2) also answer for the calls they make; `filter.rs` tests that.
fn is_multiplexer(arch: Arch, number: u32) -> bool {
    arch == Arch::ScmpArchX86 && [102, 117].contains(&number)
}

#[test]
fn docker_profile_compiles_to_what_it_says_for_every_number() {
    for machine in [Machine::X86_64, Machine::Aarch64] {
        for held in [&[][..], &capability::DEFAULT, &capability::ALL] {
            let held = held.iter().copied().collect();
            assert_agreement(&default_profile_for(Some(machine), &held, (6, 1)), machine);
        }
    }
}

/// xorshift64: the same profiles in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.roll() as usize % from.len()]
    }

    fn test(&mut self) -> LinuxSeccompArg {
        use Op::*;
        let operators = [ScmpCmpNe, ScmpCmpLt, ScmpCmpLe, ScmpCmpEq, ScmpCmpGe, ScmpCmpGt, ScmpCmpMaskedEq];
        let value = self.roll() & self.pick(&[0xff, 0xffff_ffff, u64::MAX, 0xf << 32, 0xff00_0000_00ff]);
        let two = self.pick(&[0, value, value & 0xff]);
        let builder = LinuxSeccompArgBuilder::default().index(self.roll() as usize % 6);
        builder.op(self.pick(&operators)).value(value).value_two(two).build().unwrap()
    }

    /// A profile of rules about random names; every third rule tests arguments.
    fn profile(&mut self, machine: Machine, default: Action) -> LinuxSeccomp {
        let mut names: Vec<&str> =
            machine.architectures().into_iter().flat_map(abi::syscalls).map(|(name, _)| name).collect();
        names.sort_unstable();
        let actions =
            [Action::ScmpActAllow, Action::ScmpActErrno, Action::ScmpActLog, Action::ScmpActKillProcess];
        let rules = (0..300).map(|at| {
            let mut rule = LinuxSyscallBuilder::default()
                .names([self.pick(&names).to_owned()])
                .action(self.pick(&actions))
                .errno_ret((self.roll() % 100) as u32);
            if at % 3 == 0 {
                let tests = 1 + self.roll() % 3;
                rule = rule.args((0..tests).map(|_| self.test()).collect::<Vec<_>>());
            }
            rule.build().unwrap()
        });
        let mut profile = LinuxSeccomp::default();
        profile.set_syscalls(Some(rules.collect()));
        profile.set_default_action(default).set_architectures(Some(machine.architectures()));
        profile
    }
}

#[test]
fn random_profiles_compile_to_what_they_say() {
    let mut dice = Dice(0x5eed_1234_abcd_ef01);
    for machine in [Machine::X86_64, Machine::Aarch64] {
        for default in [Action::ScmpActAllow, Action::ScmpActErrno, Action::ScmpActTrap] {
            assert_agreement(&dice.profile(machine, default), machine);
        }
    }
}

#[test]
fn programs_are_legal_even_when_jumps_need_stepping_stones() {
    let profile = Dice(7).profile(Machine::X86_64, Action::ScmpActErrno);
    let program = compile_for(Machine::X86_64, &profile).unwrap();
    let program = program.instructions();
    assert!(program.iter().any(|step| step.code == JUMP), "the profile is too small to test far jumps");
    assert_eq!(program.last().map(|step| step.code), Some(RETURN));
    for (at, step) in program.iter().enumerate().filter(|(_, step)| step.code & 7 == 5) {
        let skips = if step.code == JUMP { [step.k as usize; 2] } else { [step.jt.into(), step.jf.into()] };
        assert!(skips.iter().all(|skip| at + 1 + skip < program.len()), "{at}: {step:?}");
    }
}

#[test]
fn always_allowed_calls_are_decided_without_their_arguments() {
    let held = capability::DEFAULT.into_iter().collect();
    let profile = default_profile_for(Some(Machine::X86_64), &held, (6, 1));
    let filter = compile_for(Machine::X86_64, &profile).unwrap();
    for (name, number) in abi::syscalls(Arch::ScmpArchX86_64) {
        let run = machine::run(filter.instructions(), X86_64, number, [0; 6]);
        assert_eq!(run.saw_arguments, ["socket", "personality", "clone"].contains(&name), "{name}");
        assert!(run.saw_arguments || run.steps <= 14, "{name} takes {} steps", run.steps);
    }
}
