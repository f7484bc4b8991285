//! What is printed: one table a case.

use crate::cases::Case;
use crate::measure::Series;
use crate::process;
use crate::world::World;
use std::io;
use std::time::Duration;

/// How a ratio is compared with the budget in the design.
pub struct Budget {
    /// The peer's name.
    pub peer: &'static str,
    /// The most that the first contestant may take for each second of the peer.
    pub ratio: f64,
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
    println!("  {:<26} {:>12}", first.name, show(first.median()));
    for other in others {
        let ratio = first.ratio_to(other);
        let budget = budgets.iter().find(|budget| budget.peer == other.name);
        let verdict = budget.map_or_else(String::new, |budget| {
            let met = if ratio <= budget.ratio { "within" } else { "over" };
            format!("   ({met} the budget, {})", fraction(budget.ratio))
        });
        println!(
            "  {:<26} {:>12}   {} = {}{verdict}",
            other.name,
            show(other.median()),
            first.name,
            fraction(ratio)
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
    let verdict = budget.map_or_else(String::new, |budget| {
        let met = if megabytes <= budget { "within" } else { "over" };
        format!("   ({met} the budget, {budget} MB)")
    });
    println!("  {name:<26} {megabytes:>9.1} MB{verdict}");
    Ok(())
}
