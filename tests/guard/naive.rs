//! What a profile says about one call, read off the profile itself: no tables, no trees.

use learn::runtime::guard::abi;
use oci_spec::runtime::{
    Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompArg, LinuxSeccompOperator as Op, LinuxSyscall,
};

/// Calls whose arguments (by index) the kernel takes as 32-bit words.
const WORDS: [(&str, &[usize]); 8] = [
    ("socket", &[0, 1, 2]),
    ("socketpair", &[0, 1, 2]),
    ("ioctl", &[0, 1]),
    ("fcntl", &[0, 1]),
    ("prctl", &[0]),
    ("personality", &[0]),
    ("keyctl", &[0]),
    ("bpf", &[0]),
];

/// The rules of a profile that speak of one number.
pub struct Reading<'a> {
    rules: Vec<(&'static str, &'a LinuxSyscall)>,
    otherwise: u32,
    wide: bool,
}

impl<'a> Reading<'a> {
    pub fn of(profile: &'a LinuxSeccomp, arch: Arch, number: u32, newest: Option<u32>) -> Self {
        let default = value(profile.default_action(), profile.default_errno_ret());
        let called: Vec<_> = abi::syscalls(arch).filter(|call| call.1 == number).collect();
        let mut rules = Vec::new();
        for rule in profile.syscalls().iter().flatten() {
            let named = called.iter().filter(|(name, _)| rule.names().iter().any(|n| n == name));
            rules.extend(named.map(|(name, _)| (*name, rule)));
        }
        rules.retain(|(_, rule)| value(rule.action(), rule.errno_ret()) != default);
        let too_new = newest.is_some_and(|newest| newest < number) && number < end_of_common(arch);
        let otherwise = if too_new { super::machine::ENOSYS } else { default };
        let wide = matches!(arch, Arch::ScmpArchX86_64 | Arch::ScmpArchAarch64);
        Self { rules, otherwise, wide }
    }

    /// Small numbers, the edges of words, and what the rules compare with, one off each way.
    pub fn interesting(&self) -> Vec<u64> {
        let tests = self.rules.iter().filter_map(|(_, rule)| rule.args().as_ref()).flatten();
        let mut values = vec![0, 1, u64::from(u32::MAX), 1 << 32, u64::MAX, 1 << 63];
        for value in tests.flat_map(|test| [test.value(), test.value_two().unwrap_or(0)]) {
            values.extend([value, value.wrapping_sub(1), value.wrapping_add(1), value ^ 1 << 32]);
        }
        values
    }

    pub fn verdict(&self, args: [u64; 6]) -> u32 {
        let unconditional = self.rules.iter().find(|(_, rule)| rule.args().is_none());
        let matches = |(name, rule): &&(&str, &LinuxSyscall)| {
            rule.args().as_ref().is_some_and(|tests| holds(name, tests, args, self.wide))
        };
        let rule = unconditional.or_else(|| self.rules.iter().find(matches));
        rule.map_or(self.otherwise, |(_, rule)| value(rule.action(), rule.errno_ret()))
    }
}

/// The highest number a profile names in one ABI, if numbers above it are to be answered ENOSYS.
pub fn newest(profile: &LinuxSeccomp, arch: Arch) -> Option<u32> {
    use LinuxSeccompAction as A;
    if matches!(profile.default_action(), A::ScmpActAllow | A::ScmpActLog | A::ScmpActTrace) {
        return None;
    }
    let named = |name: &str| profile.syscalls().iter().flatten().flat_map(|r| r.names()).any(|n| n == name);
    let common = abi::syscalls(arch).filter(|(_, n)| *n < end_of_common(arch));
    common.filter(|(name, _)| named(name)).map(|(_, n)| n).max()
}

fn end_of_common(arch: Arch) -> u32 {
    if arch == Arch::ScmpArchArm { 0xf0000 } else { u32::MAX }
}

fn holds(name: &str, tests: &[LinuxSeccompArg], args: [u64; 6], wide: bool) -> bool {
    let words = WORDS.iter().find(|(n, _)| *n == name).map_or(&[][..], |(_, words)| words);
    let one = |test: &LinuxSeccompArg| {
        let mask = if wide && !words.contains(&test.index()) { u64::MAX } else { u32::MAX.into() };
        let (arg, value) = (args[test.index()] & mask, test.value() & mask);
        match test.op() {
            Op::ScmpCmpNe => arg != value,
            Op::ScmpCmpLt => arg < value,
            Op::ScmpCmpLe => arg <= value,
            Op::ScmpCmpEq => arg == value,
            Op::ScmpCmpGe => arg >= value,
            Op::ScmpCmpGt => arg > value,
            Op::ScmpCmpMaskedEq => arg & value == test.value_two().unwrap_or(0) & mask,
        }
    };
    let mut indices: Vec<_> = tests.iter().map(LinuxSeccompArg::index).collect();
    indices.sort_unstable();
    indices.dedup();
    if indices.len() < tests.len() { tests.iter().any(one) } else { tests.iter().all(one) }
}

/// oci-spec's own numbers for the actions; EPERM is its default too.
fn value(action: LinuxSeccompAction, errno: Option<u32>) -> u32 {
    action.as_u32(errno)
}
