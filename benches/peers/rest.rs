//! Waits until the machine has nothing else to do.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::Duration;

/// How long one look takes.
const LOOK: Duration = Duration::from_secs(1);
/// Looks before the measurement begins all the same.
const PATIENCE: u32 = 30;
/// Share of the processors' time that others may take.
const BUSY: f64 = 0.08;

/// Returns when the machine is at rest, or with a warning when it does not come to rest.
///
/// # Errors
/// When /proc/stat cannot be read.
pub fn wait() -> io::Result<()> {
    let mut busy = 0.0;
    for _ in 0..PATIENCE {
        let before = spent()?;
        sleep(LOOK);
        let after = spent()?;
        let (worked, all) = (after.worked - before.worked, after.all - before.all);
        busy = if all > 0.0 { worked / all } else { 0.0 };
        if busy <= BUSY {
            return Ok(());
        }
    }
    println!("  the machine is busy with other work ({:.0} %): read the ratios with care", busy * 100.0);
    Ok(())
}

/// Clock ticks of all processors since boot.
struct Spent {
    worked: f64,
    all: f64,
}

/// The first line of /proc/stat: user, nice, system, idle, iowait, …: proc_stat(5).
fn spent() -> io::Result<Spent> {
    let stat = fs::read_to_string("/proc/stat")?;
    let line = stat.lines().next().unwrap_or_default();
    let ticks: Vec<f64> =
        line.split_whitespace().skip(1).take(8).filter_map(|field| field.parse().ok()).collect();
    let all: f64 = ticks.iter().sum();
    let idle: f64 = ticks.iter().skip(3).take(2).sum();
    Ok(Spent { worked: all - idle, all })
}
