//! A seccomp profile, rule by rule, becomes a verdict for every syscall number of one ABI.
//!
//! Which rule wins when several name the same syscall follows libseccomp as runc drives it: a rule
//! that only repeats the default is no rule; a rule without arguments beats every rule with them;
//! of two without arguments the first wins. Among rules with arguments the first that matches wins.

use oci_spec::runtime::{Arch, LinuxSeccomp, LinuxSeccompArg, LinuxSeccompOperator, LinuxSyscall};

use super::abi::{self, Abi, Row};
use super::action::{Error, NO_SUCH_CALL, default_verdict, precedence, verdict};

/// Arguments the kernel declares as 32-bit words, a bit an argument. It never looks at the upper
/// half of the register, so neither may the filter: `socket(1 << 32 | AF_VSOCK)` is a vsock,
/// whatever the 64-bit value compares to.
const WORD_ARGUMENTS: [(&str, u8); 8] = [
    ("bpf", 0b1),
    ("fcntl", 0b11),
    ("ioctl", 0b11),
    ("keyctl", 0b1),
    ("personality", 0b1),
    ("prctl", 0b1),
    ("socket", 0b111),
    ("socketpair", 0b111),
];

/// What a filter does about one syscall number.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Leaf {
    /// One answer, whatever the arguments.
    Always(u32),
    /// The first of these that matches, else the default.
    Arguments(Vec<Alternative>),
}

/// A rule with arguments: `verdict` if all `tests` hold.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Alternative {
    pub verdict: u32,
    pub tests: Vec<Test>,
}

/// One comparison of one argument.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Test {
    pub index: u32,
    pub op: LinuxSeccompOperator,
    pub value: u64,
    pub value_two: u64,
    /// Whether all 64 bits count, or the lower 32 only.
    pub wide: bool,
}

/// Numbers from `start` to the next segment's start share one leaf.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Segment {
    pub start: u32,
    pub leaf: Leaf,
}

/// A profile with its names looked up and its actions checked, ready for any ABI.
#[derive(Debug)]
pub(super) struct Resolved<'a> {
    pub default: u32,
    /// Whether a number above all those the profile names is answered ENOSYS; see
    /// [`Resolved::segments`].
    unknown_is_missing: bool,
    rules: Vec<Rule<'a>>,
}

/// A rule for one syscall.
#[derive(Clone, Copy, Debug)]
struct Rule<'a> {
    row: &'static Row,
    verdict: u32,
    args: &'a [LinuxSeccompArg],
}

impl<'a> Resolved<'a> {
    /// Looks up every name; one that no ABI here knows is passed over, as runc does.
    pub(super) fn new(profile: &'a LinuxSeccomp) -> Result<Self, Error> {
        let (default, permissive) = default_verdict(profile)?;
        let mut rules = Vec::with_capacity(512);
        for syscall in profile.syscalls().iter().flatten() {
            let verdict = verdict(syscall.action(), syscall.errno_ret())?;
            let args = arguments(syscall)?;
            let rows = syscall.names().iter().filter_map(|name| abi::row(name));
            rules.extend(rows.map(|row| Rule { row, verdict, args }));
        }
        Ok(Self { default, unknown_is_missing: !permissive, rules })
    }

    /// The verdicts of one ABI as adjoining ranges of numbers, from the ABI's first to `u32::MAX`.
    ///
    /// A number above every one the profile names is a call younger than the profile. Like runc,
    /// and unless the default lets calls through, it is answered ENOSYS, not the default: a C
    /// library takes ENOSYS as "use the older call" and EPERM as a failure.
    pub(super) fn segments(&self, abi: &Abi) -> Vec<Segment> {
        let mut claims = self.claims(abi);
        claims.sort_by_key(|claim| claim.number);
        let mut segments = Segments::new(abi.tag, self.default);
        let mut missing = self.missing(abi);
        for group in claims.chunk_by(|a, b| a.number == b.number) {
            let number = group[0].number;
            if let Some((first, last)) = missing.take_if(|(first, _)| *first < number) {
                segments.put(first, last, Leaf::Always(NO_SUCH_CALL));
            }
            segments.put(number, number, leaf(group));
        }
        if let Some((first, last)) = missing {
            segments.put(first, last, Leaf::Always(NO_SUCH_CALL));
        }
        segments.finish()
    }

    /// Every (number, rule) pair of one ABI, in the profile's order.
    fn claims(&self, abi: &Abi) -> Vec<Claim<'a>> {
        let mut claims = Vec::with_capacity(self.rules.len() + 64);
        for &Rule { row, verdict, args } in self.rules.iter().filter(|rule| rule.verdict != self.default) {
            if let Some(number) = abi.number(row) {
                let matches = Matches::Call { name: row.0, args, wide: abi.wide };
                claims.push(Claim { number, verdict, matches });
            }
            if abi.arch == Arch::ScmpArchX86 && self.binds_multiplexer(verdict, args) {
                let through = multiplexed(abi, row).map(|(number, test)| Claim {
                    number,
                    verdict,
                    matches: Matches::Test(test),
                });
                claims.extend(through);
            }
        }
        claims
    }

    /// Whether a rule also holds for the call made through socketcall(2) or ipc(2). There the
    /// arguments lie in memory, where a filter cannot look; so a rule that tests them is applied
    /// whole when it forbids, and not at all when it allows.
    fn binds_multiplexer(&self, verdict: u32, args: &[LinuxSeccompArg]) -> bool {
        args.is_empty() || precedence(verdict) < precedence(self.default)
    }

    /// The range of numbers too new for this profile, or `None` if the profile says nothing about
    /// this ABI.
    fn missing(&self, abi: &Abi) -> Option<(u32, u32)> {
        let numbers = self.rules.iter().filter_map(|rule| abi.number(rule.row));
        let newest = numbers.filter(|number| *number < abi.common_end).max()?;
        self.unknown_is_missing.then_some((newest + 1, abi.common_end))
    }
}

/// One rule's claim on one number.
struct Claim<'a> {
    number: u32,
    verdict: u32,
    matches: Matches<'a>,
}

/// When a claim holds.
enum Matches<'a> {
    Call { name: &'static str, args: &'a [LinuxSeccompArg], wide: bool },
    Test(Test),
}

/// The number and the test under which a multiplexer of `abi` makes the call of this row.
fn multiplexed(abi: &Abi, row: &Row) -> Option<(u32, Test)> {
    let (name, op, value, value_two) = match u64::from(row.2) {
        0 => return None,
        code @ 1..=100 => ("socketcall", LinuxSeccompOperator::ScmpCmpEq, code, 0),
        // ipc(2) keeps a version in the upper half of its first argument.
        code => ("ipc", LinuxSeccompOperator::ScmpCmpMaskedEq, 0xffff, code - 100),
    };
    let number = abi.number(abi::row(name)?)?;
    Some((number, Test { index: 0, op, value, value_two, wide: false }))
}

/// Settles the claims on one number.
fn leaf(group: &[Claim]) -> Leaf {
    let unconditional = group.iter().find(|claim| matches!(claim.matches, Matches::Call { args: [], .. }));
    if let Some(claim) = unconditional {
        return Leaf::Always(claim.verdict);
    }
    let alternatives = group.iter().flat_map(|claim| {
        let sets = match &claim.matches {
            Matches::Test(test) => vec![vec![*test]],
            Matches::Call { name, args, wide } => test_sets(name, args, *wide),
        };
        sets.into_iter().map(|tests| Alternative { verdict: claim.verdict, tests })
    });
    Leaf::Arguments(alternatives.collect())
}

/// The tests of a rule: all must hold, unless one argument is tested twice. Then each is a rule of
/// its own, as runc has it.
fn test_sets(name: &str, args: &[LinuxSeccompArg], wide: bool) -> Vec<Vec<Test>> {
    let words = WORD_ARGUMENTS.iter().find(|(known, _)| *known == name).map_or(0, |(_, words)| *words);
    let tests = args.iter().map(|arg| Test {
        index: arg.index() as u32,
        op: arg.op(),
        value: arg.value(),
        value_two: arg.value_two().unwrap_or(0),
        wide: wide && words >> arg.index() & 1 == 0,
    });
    let repeated = (1..args.len()).any(|at| args[..at].iter().any(|arg| arg.index() == args[at].index()));
    if repeated { tests.map(|test| vec![test]).collect() } else { vec![tests.collect()] }
}

/// The arguments a rule tests, checked: a syscall has six.
fn arguments(syscall: &LinuxSyscall) -> Result<&[LinuxSeccompArg], Error> {
    let args = syscall.args().as_deref().unwrap_or_default();
    match args.iter().find(|arg| arg.index() > 5) {
        Some(arg) => Err(Error::ArgumentIndex { syscall: syscall.names().join(", "), index: arg.index() }),
        None => Ok(args),
    }
}

/// Ranges put in ascending order, the gaps filled with the default, equal neighbours joined.
struct Segments {
    done: Vec<Segment>,
    /// First number not yet covered; `None` once all are.
    next: Option<u32>,
    default: Leaf,
}

impl Segments {
    fn new(first: u32, default: u32) -> Self {
        Self { done: Vec::with_capacity(128), next: Some(first), default: Leaf::Always(default) }
    }

    fn put(&mut self, first: u32, last: u32, leaf: Leaf) {
        if let Some(gap) = self.next.filter(|next| *next < first) {
            self.join(gap, self.default.clone());
        }
        self.join(first, leaf);
        self.next = last.checked_add(1);
    }

    fn join(&mut self, start: u32, leaf: Leaf) {
        let same =
            self.done.last().is_some_and(|segment| segment.leaf == leaf && matches!(leaf, Leaf::Always(_)));
        if !same {
            self.done.push(Segment { start, leaf });
        }
    }

    fn finish(mut self) -> Vec<Segment> {
        if let Some(next) = self.next {
            self.join(next, self.default.clone());
        }
        self.done
    }
}
