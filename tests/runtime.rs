//! The runtime against the real kernel: bundles run as root and as nobody, and what they may do,
//! what they may not, and what they leave behind.
//!
//! This binary is its own harness: a runtime must be single-threaded to clone, so it runs in a
//! process of its own, which is this program in another role. The tests run in a mount namespace
//! of their own; each run is followed by a count of mounts, groups and processes.

#[path = "support/bundle.rs"]
mod bundle;
#[path = "runtime/escapes.rs"]
mod escapes;
#[path = "runtime/failures.rs"]
mod failures;
#[path = "runtime/guards.rs"]
mod guards;
#[path = "runtime/identity.rs"]
mod identity;
#[path = "runtime/resources.rs"]
mod resources;
#[path = "runtime/unprivileged.rs"]
mod unprivileged;

use nix::mount::{MsFlags, mount};
use nix::sched::{CloneFlags, unshare};
use std::panic::catch_unwind;
use std::process::ExitCode;
use std::time::Instant;

/// A name that says the behaviour, and the test.
type Case = (&'static str, fn());

/// Lists functions under their own names.
macro_rules! cases {
    ($($name:path),* $(,)?) => {
        &[$((stringify!($name), $name as fn())),*]
    };
}
pub(crate) use cases;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if words.first().is_some_and(|word| word == bundle::ROLE) {
        return ExitCode::from(u8::try_from(bundle::role(&words[1..])).unwrap_or(255));
    }
    let groups = [
        identity::CASES,
        guards::CASES,
        resources::CASES,
        failures::CASES,
        escapes::CASES,
        unprivileged::CASES,
    ];
    let all: Vec<Case> = groups.into_iter().flatten().copied().collect();
    if words.iter().any(|word| word == "--list") {
        all.iter().for_each(|(name, _)| println!("{name}: test"));
        return ExitCode::SUCCESS;
    }
    let exact = words.iter().any(|word| word == "--exact");
    let filters: Vec<&String> = words.iter().filter(|word| !word.starts_with('-')).collect();
    let wanted = |name: &str| {
        let matches = |filter: &&String| if exact { filter.as_str() == name } else { name.contains(*filter) };
        filters.is_empty() || filters.iter().any(matches)
    };
    let (chosen, left_out): (Vec<Case>, Vec<Case>) = all.into_iter().partition(|(name, _)| wanted(name));
    if chosen.is_empty() || may_run() { run(&chosen, left_out.len()) } else { ExitCode::SUCCESS }
}

/// Whether this is root. Says why not; where root is promised, that is a failure.
fn may_run() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "not root");
        println!("skipped: containers that are not in a user namespace need root");
    }
    root
}

/// Runs the tests one after the other and reports as cargo's own harness does.
fn run(cases: &[Case], left_out: usize) -> ExitCode {
    let began = Instant::now();
    unshare(CloneFlags::CLONE_NEWNS).expect("root may unshare");
    let private = MsFlags::MS_REC | MsFlags::MS_PRIVATE;
    mount(None::<&str>, "/", None::<&str>, private, None::<&str>).expect("root may mount");
    // A process that a container leaves becomes ours, and so is found.
    nix::sys::prctl::set_child_subreaper(true).expect("anyone may");
    println!("\nrunning {} tests", cases.len());
    let mut failed = Vec::new();
    for (name, case) in cases {
        let passed = catch_unwind(case).is_ok();
        println!("test {name} ... {}", if passed { "ok" } else { "FAILED" });
        if !passed {
            failed.push(name);
        }
    }
    bundle::clean_up();
    let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
    if !failed.is_empty() {
        println!("\nfailures:");
        failed.iter().for_each(|name| println!("    {name}"));
    }
    println!(
        "\ntest result: {verdict}. {} passed; {} failed; 0 ignored; 0 measured; {left_out} filtered out; \
         finished in {:.2}s\n",
        cases.len() - failed.len(),
        failed.len(),
        began.elapsed().as_secs_f64()
    );
    if failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(101) }
}
