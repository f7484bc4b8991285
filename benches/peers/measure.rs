//! Fair timing: everybody takes turns, so that what else the machine does hits all alike.

use std::io;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// One way to do the work.
pub struct Contestant<'a> {
    /// As printed.
    pub name: &'static str,
    /// Does the work once and says how long the part that counts took.
    pub once: Box<dyn FnMut() -> io::Result<Duration> + 'a>,
}

impl<'a> Contestant<'a> {
    /// From what does the work.
    pub fn new(name: &'static str, once: impl FnMut() -> io::Result<Duration> + 'a) -> Contestant<'a> {
        Contestant { name, once: Box::new(once) }
    }
}

/// A contestant's times, in the order of the rounds.
pub struct Series {
    /// The contestant.
    pub name: &'static str,
    times: Vec<Duration>,
}

impl Series {
    /// The time in the middle.
    pub fn median(&self) -> Duration {
        median(self.times.iter().map(Duration::as_secs_f64).collect())
            .map_or(Duration::ZERO, Duration::from_secs_f64)
    }

    /// How long this took for each second of `other`: the median over the rounds, in each of which
    /// both ran close together.
    pub fn ratio_to(&self, other: &Series) -> f64 {
        let pairs = self.times.iter().zip(&other.times);
        median(pairs.map(|(mine, other)| mine.as_secs_f64() / other.as_secs_f64()).collect())
            .unwrap_or(f64::NAN)
    }
}

/// Lets everybody run once unmeasured, then `rounds` times in turns. Who begins changes.
///
/// # Errors
/// The first failure of a contestant, with its name.
pub fn race(rounds: usize, mut contestants: Vec<Contestant>) -> io::Result<Vec<Series>> {
    let mut series: Vec<Series> =
        contestants.iter().map(|contestant| Series { name: contestant.name, times: Vec::new() }).collect();
    let count = contestants.len();
    for turn in 0..=rounds {
        for place in 0..count {
            let which = (turn + place) % count;
            let contestant = &mut contestants[which];
            let time = (contestant.once)()
                .map_err(|error| io::Error::other(format!("{}: {error}", contestant.name)))?;
            if turn > 0 {
                series[which].times.push(time);
            }
        }
    }
    Ok(series)
}

/// How long a command takes from its start to its end; its output is thrown away.
///
/// # Errors
/// When it cannot be started or fails, with what it said.
pub fn time(command: &mut Command) -> io::Result<Duration> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let start = Instant::now();
    let status = command.status()?;
    let took = start.elapsed();
    if status.success() { Ok(took) } else { Err(io::Error::other(format!("{command:?}: {status}"))) }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        length if length % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}
