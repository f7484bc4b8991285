//! What is printed: one table a case.

use crate::cases::Case;
use crate::measure::{Ratio, Series};
use crate::process;
use crate::world::World;
use std::io;
use std::time::Duration;

/// What the design allows the first contestant.
pub enum Budget {
    /// Beside a peer.
    Ratio {
        /// The peer's name.
        peer: &'static str,
        /// The most that it may take for each second of the peer.
        most: f64,
    },
    /// By itself.
    Time {
        /// The most that it may take.
        most: Duration,
    },
}

impl Budget {
    /// The verdict on the first contestant's own time.
    fn alone(&self, took: Duration) -> Option<String> {
        let Budget::Time { most } = self else { return None };
        Some(verdict(took <= *most, &show(*most)))
    }

    /// The verdict on a ratio to `name`.
    fn beside(&self, name: &str, ratio: f64) -> Option<String> {
        match self {
            Budget::Ratio { peer, most } if *peer == name => Some(verdict(ratio <= *most, &fraction(*most))),
            _ => None,
        }
    }
}

fn verdict(met: bool, budget: &str) -> String {
    format!("   {} the budget, {budget}", if met { "within" } else { "over" })
}

/// What was measured, and what was not there to be measured.
pub fn machine(world: &World) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    println!("{} {}, {cores} cores", std::env::consts::OS, std::env::consts::ARCH);
    for (peer, lack) in world.absent() {
        println!("{peer} is left out: no {lack}");
    }
}

/// The case's name and what it does.
pub fn heading(case: &Case) {
    println!("\n{}: {}", case.name, case.about);
}

/// Why a case has no numbers.
pub fn failure(error: &io::Error) {
    println!("  not measured: {error}");
}

/// Times of all, and the first one's ratio to each of the others.
pub fn table(series: &[Series], budgets: &[Budget]) {
    let Some((first, others)) = series.split_first() else { return };
    let alone = budgets.iter().find_map(|budget| budget.alone(first.median())).unwrap_or_default();
    println!("  {:<26} {:>12}{alone}", first.name, show(first.median()));
    for other in others {
        let Ratio { low, middle, high } = first.ratio_to(other);
        let verdict = budgets.iter().find_map(|budget| budget.beside(other.name, middle)).unwrap_or_default();
        let [low, middle, high] = [low, middle, high].map(fraction);
        println!(
            "  {:<26} {:>12}   {} = {middle} ({low} … {high}){verdict}",
            other.name,
            show(other.median()),
            first.name
        );
    }
}

/// `1/18.4` or `1.04 ×`.
fn fraction(ratio: f64) -> String {
    if ratio < 0.95 { format!("1/{:.1}", 1.0 / ratio) } else { format!("{ratio:.2} ×") }
}

fn show(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.2} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}

/// The sum of what some processes hold in memory, and the most it may be in MB.
///
/// # Errors
/// When one of them is gone.
pub fn memory(name: &str, pids: &[u32], budget: Option<f64>) -> io::Result<()> {
    let bytes = pids.iter().map(|pid| process::resident(*pid)).sum::<io::Result<u64>>()?;
    let megabytes = bytes as f64 / 1e6;
    let verdict = budget.map_or_else(String::new, |most| verdict(megabytes <= most, &format!("{most} MB")));
    println!("  {name:<26} {megabytes:>9.1} MB{verdict}");
    Ok(())
}
