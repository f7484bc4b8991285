//! `learn` beside docker, podman, crun and runc, in one run on one machine.
//!
//! ```text
//! cargo bench --bench peers                        every case, about five minutes
//! cargo bench --bench peers -- run runtime         some of them
//! cargo bench --bench peers -- --full pull         with the image the budget is about: 558 MB gzip
//! ```
//!
//! It prints times and ratios and never fails on one: what a machine does today is no test. Peers
//! that are not installed are left out, and named. All servers are this run's own, in temporary
//! directories and on loopback.

mod alpine;
mod bundle;
mod cases;
mod floor;
mod hashing;
mod layers;
mod learn;
mod measure;
#[path = "../../tests/support/peer/mod.rs"]
mod peer;
mod podman;
mod process;
mod report;
mod rest;
mod room;
mod world;

use cases::{CASES, Case};
use std::io;
use std::process::ExitCode;
use world::World;

/// What the command line asks for.
struct Wish {
    full: bool,
    cases: Vec<&'static Case>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    // `cargo test --all-targets` starts benches as well, without this word.
    if !arguments.iter().any(|word| word == "--bench") {
        return ExitCode::SUCCESS;
    }
    match wish(&arguments).and_then(|wish| run(&wish)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("peers: {error}");
            ExitCode::FAILURE
        }
    }
}

fn wish(arguments: &[String]) -> io::Result<Wish> {
    let mut wish = Wish { full: false, cases: Vec::new() };
    for word in arguments {
        match word.as_str() {
            "--bench" => {}
            "--full" => wish.full = true,
            name => match CASES.iter().find(|case| case.name == name) {
                Some(case) => wish.cases.push(case),
                None => {
                    let names: Vec<&str> = CASES.iter().map(|case| case.name).collect();
                    return Err(io::Error::other(format!("no case {name}; there are {}", names.join(", "))));
                }
            },
        }
    }
    if wish.cases.is_empty() {
        wish.cases.extend(&CASES);
    }
    Ok(wish)
}

fn run(wish: &Wish) -> io::Result<()> {
    // Before any thread or server is started, so that all of them live in there.
    room::enter()?;
    let world = World::new(wish.full)?;
    report::machine(&world);
    for case in &wish.cases {
        report::heading(case);
        rest::wait()?;
        // One case that cannot be measured leaves the others alone.
        if let Err(error) = (case.measure)(&world) {
            report::failure(&error);
        }
    }
    Ok(())
}
