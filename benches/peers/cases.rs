//! What is measured: one function a row of the budget.

use crate::bundle;
use crate::floor;
use crate::learn;
use crate::measure::{Contestant, race, time};
use crate::peer::find;
use crate::process;
use crate::report::{self, Budget};
use crate::world::World;
use serde_json::Value;
use std::io;
use std::process::Command;
use std::time::Duration;

/// A row.
pub struct Case {
    /// For the command line.
    pub name: &'static str,
    /// One line.
    pub about: &'static str,
    /// Measures and prints.
    pub measure: fn(&World) -> io::Result<()>,
}

/// All rows, the quick ones first.
pub const CASES: [Case; 6] = [
    Case { name: "startup", about: "the command line alone, and with a daemon", measure: startup },
    Case { name: "run", about: "run --rm --network none alpine true, daemon up", measure: run },
    Case { name: "runtime", about: "one bundle from start to exit, without a daemon", measure: runtime },
    Case { name: "explain", about: "run --explain beside the same run without", measure: explain },
    Case { name: "memory", about: "resident with one container asleep", measure: memory },
    Case { name: "pull", about: "five layers from a registry on loopback", measure: pull },
];

/// What follows `run` and its options.
const WORK: [&str; 5] = ["--rm", "--network", "none", "alpine", "true"];

fn startup(world: &World) -> io::Result<()> {
    for word in ["--version", "ps"] {
        let mut contestants = vec![Contestant::new("learn", || time(world.learn()?.command().arg(word)))];
        if let Some(docker) = world.docker()? {
            contestants.push(Contestant::new("docker", move || time(docker.docker().arg(word))));
        }
        if let Some(podman) = world.podman()? {
            contestants.push(Contestant::new("podman", move || time(podman.command().arg(word))));
        }
        println!("  {word}");
        report::table(&race(40, contestants)?, &[Budget::Time { most: Duration::from_millis(5) }]);
    }
    Ok(())
}

fn run(world: &World) -> io::Result<()> {
    let learn = world.learn()?;
    let mut contestants = vec![Contestant::new("learn", || time(learn.command().arg("run").args(WORK)))];
    if let Some(docker) = world.docker()? {
        contestants.push(Contestant::new("docker", move || time(docker.docker().arg("run").args(WORK))));
    }
    if let Some(podman) = world.podman()? {
        contestants.push(Contestant::new("podman", move || {
            time(podman.command().arg("run").args(podman.run_options()).args(WORK))
        }));
    }
    report::table(&race(30, contestants)?, &[Budget::Ratio { peer: "docker", most: 1.0 / 15.0 }]);
    Ok(())
}

fn runtime(world: &World) -> io::Result<()> {
    world.alpine()?;
    let directory = &world.scratch().join("bundle");
    bundle::write(directory)?;
    let root = &world.run().join("runtimes");
    let id = "learn-peers";
    let ours =
        || time(Command::new(learn::PROGRAM).args(["runtime", "run", "--bundle"]).arg(directory).arg(id));
    let mut contestants = vec![Contestant::new("learn", ours)];
    for name in ["crun", "runc"] {
        if find(name).is_some() {
            let theirs = move || {
                let mut command = Command::new(name);
                time(
                    command
                        .arg("--root")
                        .arg(root.join(name))
                        .args(["run", "--bundle"])
                        .arg(directory)
                        .arg(id),
                )
            };
            contestants.push(Contestant::new(name, theirs));
        }
    }
    report::table(&race(50, contestants)?, &[Budget::Ratio { peer: "crun", most: 1.0 }]);
    Ok(())
}

fn explain(world: &World) -> io::Result<()> {
    let learn = world.learn()?;
    let told = || time(learn.command().args(["run", "--explain"]).args(WORK));
    let plain = || time(learn.command().arg("run").args(WORK));
    let contestants = vec![Contestant::new("with --explain", told), Contestant::new("without", plain)];
    report::table(&race(50, contestants)?, &[Budget::Ratio { peer: "without", most: 1.05 }]);
    Ok(())
}

fn pull(world: &World) -> io::Result<()> {
    let (image, registry, learn) = (world.image()?, world.registry()?, world.learn()?);
    image.push(registry, "peers")?;
    let name = &format!("{}/peers:latest", registry.address());
    let (packed, inflated) = image.bytes();
    println!(
        "  {} files, {} MB of gzip, {} MB unpacked",
        image.files,
        packed / 1_000_000,
        inflated / 1_000_000
    );
    let fresh = |mut remove: Command, mut pull: Command| {
        // It may not be there yet.
        remove.args(["rmi", name]).output()?;
        // What others wrote before is not to be waited for now.
        nix::unistd::sync();
        time(&mut pull)
    };
    let with = |mut command: Command, words: &[&str]| {
        command.args(words).arg(name);
        command
    };
    let mut contestants =
        vec![Contestant::new("learn", || fresh(learn.command(), with(learn.command(), &["pull"])))];
    if let Some(docker) = world.docker()? {
        let once = move || fresh(docker.docker(), with(docker.docker(), &["pull"]));
        contestants.push(Contestant::new("docker", once));
    }
    if let Some(podman) = world.podman()? {
        let once = move || fresh(podman.command(), with(podman.command(), &["pull", "--tls-verify=false"]));
        contestants.push(Contestant::new("podman", once));
    }
    contestants.push(Contestant::new("floor", || {
        let target = tempfile::tempdir_in(world.scratch())?;
        nix::unistd::sync();
        floor::unpack(image, target.path())
    }));
    let budgets = [("docker", 0.25), ("podman", 1.0 / 3.0), ("floor", 1.3)];
    let rounds = if world.is_full() { 3 } else { 5 };
    report::table(&race(rounds, contestants)?, &budgets.map(|(peer, most)| Budget::Ratio { peer, most }));
    Ok(())
}

fn memory(world: &World) -> io::Result<()> {
    let learn = world.learn()?;
    asleep(
        || learn.command(),
        &[],
        |shim| {
            let mut daemons = process::children(learn.pid()?)?;
            daemons.retain(|pid| *pid != shim);
            daemons.push(learn.pid()?);
            report::memory("learn daemon and nursery", &daemons, Some(20.0))?;
            report::memory("learn shim", &[shim], Some(3.0))
        },
    )?;
    if let Some(docker) = world.docker()? {
        asleep(
            || docker.docker(),
            &[],
            |shim| {
                let mut daemons = process::children(docker.pid())?;
                daemons.push(docker.pid());
                report::memory("dockerd and containerd", &daemons, None)?;
                report::memory("containerd-shim", &[shim], None)
            },
        )?;
    }
    if let Some(podman) = world.podman()? {
        asleep(
            || podman.command(),
            &podman.run_options(),
            |shim| report::memory("podman's conmon", &[shim], None),
        )?;
    }
    Ok(())
}

/// So long after its last work an engine is at rest.
const SETTLED: Duration = Duration::from_secs(15);

/// Does something while a container sleeps; it is told the pid of the container's parent.
fn asleep(
    cli: impl Fn() -> Command,
    options: &[String],
    look: impl FnOnce(u32) -> io::Result<()>,
) -> io::Result<()> {
    let name = "peers-asleep";
    let mut run = cli();
    run.args(["run", "-d", "--name", name]).args(options);
    let started = run.args(["--network", "none", "alpine", "sleep", "600"]).output()?;
    if !started.status.success() {
        return Err(io::Error::other(String::from_utf8_lossy(&started.stderr).into_owned()));
    }
    let looked = shim(cli().args(["inspect", name])).and_then(|shim| {
        std::thread::sleep(SETTLED);
        look(shim)
    });
    cli().args(["rm", "-f", name]).output()?;
    looked
}

/// The parent of a container's first process, from what `inspect` prints.
fn shim(inspect: &mut Command) -> io::Result<u32> {
    let output = inspect.output()?;
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    let pid = answer[0]["State"]["Pid"].as_u64().and_then(|pid| u32::try_from(pid).ok());
    process::parent(pid.ok_or_else(|| io::Error::other("inspect shows no State.Pid"))?)
}
