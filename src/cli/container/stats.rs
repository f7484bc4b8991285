//! `learn stats`: what containers use, once or as a table that goes on.

use super::args;
use crate::cli::format::{List as Lines, column, size, words};
use crate::cli::{Context, Failure, output};
use crate::client::container::List;
use crate::client::{Client, Error};
use crate::wire::{BlkioEntry, EventMessage, Stats};
use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks at the table, as Docker's client.
const REFRESH: Duration = Duration::from_millis(500);

/// What `--format` is when it is not given.
const TABLE: &str = "table {{.ID}}\\t{{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.MemPerc}}\\t{{.NetIO}}\\t{{.BlockIO}}\\t{{.PIDs}}";

/// A line is its cells, in the order of the table.
static LINES: Lines<Vec<String>> = Lines {
    type_name: "*container.statsContext",
    columns: &[
        column("BlockIO", "BLOCK I/O", |line| line[6].as_str().into()),
        column("CPUPerc", "CPU %", |line| line[2].as_str().into()),
        column("Container", "CONTAINER", |line| line[0].as_str().into()),
        column("ID", "CONTAINER ID", |line| line[0].as_str().into()),
        column("MemPerc", "MEM %", |line| line[4].as_str().into()),
        column("MemUsage", "MEM USAGE / LIMIT", |line| line[3].as_str().into()),
        column("Name", "NAME", |line| line[1].as_str().into()),
        column("NetIO", "NET I/O", |line| line[5].as_str().into()),
        column("PIDs", "PIDS", |line| line[7].as_str().into()),
    ],
    label: None,
};

/// Prints what containers use: those named, else those that run, else (`-a`) all.
pub async fn stats(context: &Context, asked: args::Stats) -> Result<(), Failure> {
    let client = &context.client;
    let names = match asked.containers.is_empty() {
        true => listed(client, asked.all).await?,
        false => asked.containers.clone(),
    };
    match asked.no_stream {
        true => once(client, &names, &asked).await,
        false => live(client, names, &asked).await,
    }
}

async fn listed(client: &Client, all: bool) -> Result<Vec<String>, Error> {
    let containers = client.list_containers(&List { all, ..List::default() }).await?;
    Ok(containers.into_iter().map(|container| container.id).collect())
}

/// All at once: each needs a second between its two samples.
async fn once(client: &Client, names: &[String], asked: &args::Stats) -> Result<(), Failure> {
    let samples = names.iter().map(|name| client.container_stats(name));
    let mut rows = Vec::new();
    let mut failures = Vec::new();
    for sample in futures_util::future::join_all(samples).await {
        match sample {
            Ok(sample) => rows.push(row(&sample, asked.no_trunc)),
            Err(error) => failures.push(error.into()),
        }
    }
    if failures.is_empty() {
        output::text(&table(rows, &asked.format)?)?;
    }
    Failure::all(failures)
}

/// What comes while the table is shown.
enum News {
    Sample(Box<Stats>),
    /// The container's stream ended: it is gone.
    Gone(String),
    Event(Box<EventMessage>),
}

type Source = BoxStream<'static, Result<News, Error>>;

/// The table goes on until somebody interrupts it, or every container named is gone. Without names
/// it follows what starts and ends.
async fn live(client: &Client, names: Vec<String>, asked: &args::Stats) -> Result<(), Failure> {
    let mut sources: SelectAll<Source> = SelectAll::new();
    let mut shown: BTreeMap<usize, (String, Stats)> = BTreeMap::new();
    let mut order = names.len();
    let follows = asked.containers.is_empty();
    if follows {
        let filters = [("type".to_owned(), vec!["container".to_owned()])].into();
        let events = client.events(None, None, &filters).await?.into_stream();
        sources.push(events.map(|event| event.map(|event| News::Event(Box::new(event)))).boxed());
    }
    for (place, name) in names.iter().enumerate() {
        sources.push(samples(client, name).await?);
        shown.insert(place, (name.clone(), Stats::default()));
    }
    let mut ticks = tokio::time::interval(REFRESH);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => draw(&shown, asked)?,
            news = sources.next() => match news {
                Some(Ok(News::Sample(sample))) => {
                    let place = shown.values_mut().find(|(name, known)| is_of(name, known, &sample));
                    if let Some((_, known)) = place {
                        *known = *sample;
                    }
                }
                Some(Ok(News::Gone(name))) => shown.retain(|_, (known, _)| *known != name),
                Some(Ok(News::Event(event))) => match event.action.as_str() {
                    "create" if asked.all => watch(client, &event.actor.id, &mut sources, &mut shown, &mut order).await?,
                    "start" => watch(client, &event.actor.id, &mut sources, &mut shown, &mut order).await?,
                    "die" if !asked.all => shown.retain(|_, (known, _)| *known != event.actor.id),
                    _ => {}
                },
                Some(Err(error)) => return Err(error.into()),
                // Everything that was watched is gone.
                None => return draw(&shown, asked),
            },
        }
    }
}

async fn watch(
    client: &Client,
    id: &str,
    sources: &mut SelectAll<Source>,
    shown: &mut BTreeMap<usize, (String, Stats)>,
    order: &mut usize,
) -> Result<(), Failure> {
    if shown.values().any(|(known, _)| known == id) {
        return Ok(());
    }
    // Gone again before it could be looked at: nothing to show.
    if let Ok(source) = samples(client, id).await {
        sources.push(source);
        shown.insert(*order, (id.to_owned(), Stats::default()));
        *order += 1;
    }
    Ok(())
}

async fn samples(client: &Client, name: &str) -> Result<Source, Error> {
    let stream = client.watch_stats(name).await?.into_stream();
    let gone = name.to_owned();
    let end = futures_util::stream::once(async move { Ok(News::Gone(gone)) });
    Ok(stream.map(|sample| sample.map(|sample| News::Sample(Box::new(sample)))).chain(end).boxed())
}

/// Names given may be ids, beginnings of ids, or names; the first sample tells which.
fn is_of(asked: &str, known: &Stats, sample: &Stats) -> bool {
    let name = sample.name.trim_start_matches('/');
    known.id == sample.id
        || (known.id.is_empty() && (sample.id.starts_with(asked) || name == asked.trim_start_matches('/')))
}

/// The whole screen, line by line over the one before: it does not flicker.
fn draw(shown: &BTreeMap<usize, (String, Stats)>, asked: &args::Stats) -> Result<(), Failure> {
    let rows = shown.values().map(|(name, stats)| match stats.id.is_empty() {
        true => waiting(name, asked.no_trunc),
        false => row(stats, asked.no_trunc),
    });
    let lines = table(rows.collect(), &asked.format)?;
    // Docker's client sends these also where there is no terminal.
    let lines: String = lines.lines().map(|line| format!("{line}\x1b[K\n")).collect();
    output::text(&format!("\x1b[H{lines}\x1b[J"))
}

fn table(rows: Vec<Vec<String>>, format: &str) -> Result<String, Failure> {
    let format = if matches!(format, "" | "table") { TABLE } else { format };
    LINES.write(format, rows)
}

/// A container nothing is known of yet.
fn waiting(name: &str, whole: bool) -> Vec<String> {
    let shown = if name.len() == 64 { words::id(name, whole) } else { name.to_owned() };
    let cells = ["--", "--", "-- / --", "--", "--", "--", "--"];
    std::iter::once(shown).chain(cells.map(str::to_owned)).collect()
}

fn row(stats: &Stats, whole: bool) -> Vec<String> {
    let used = memory_used(stats);
    let limit = stats.memory_stats.limit;
    let (received, sent) = stats
        .networks
        .values()
        .fold((0, 0), |(received, sent), one| (received + one.rx_bytes, sent + one.tx_bytes));
    let bytes = stats.blkio_stats.io_service_bytes_recursive.as_deref().unwrap_or_default();
    vec![
        words::id(&stats.id, whole),
        stats.name.trim_start_matches('/').to_owned(),
        format!("{:.2}%", processor_percent(stats)),
        format!("{} / {}", size::binary(signed(used)), size::binary(signed(limit))),
        format!("{:.2}%", percent(used, limit)),
        format!("{} / {}", size::short(signed(received)), size::short(signed(sent))),
        format!("{} / {}", size::short(signed(moved(bytes, 'r'))), size::short(signed(moved(bytes, 'w')))),
        stats.pids_stats.current.to_string(),
    ]
}

fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// What the caches hold of files nobody uses does not count.
fn memory_used(stats: &Stats) -> u64 {
    let memory = &stats.memory_stats;
    let idle = memory.stats.get("total_inactive_file").or_else(|| memory.stats.get("inactive_file"));
    memory.usage - idle.copied().filter(|idle| *idle < memory.usage).unwrap_or(0)
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn percent(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 * 100.0 }
}

/// Of one processor: two that are busy are 200 %.
#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn processor_percent(stats: &Stats) -> f64 {
    let (now, before) = (&stats.cpu_stats, &stats.precpu_stats);
    let used = now.cpu_usage.total_usage.saturating_sub(before.cpu_usage.total_usage);
    let passed = now.system_cpu_usage.saturating_sub(before.system_cpu_usage);
    percent(used, passed) * now.online_cpus as f64
}

/// `Read` of v1, `read` of v2.
fn moved(entries: &[BlkioEntry], letter: char) -> u64 {
    let wanted = |entry: &&BlkioEntry| entry.op.to_ascii_lowercase().starts_with(letter);
    entries.iter().filter(wanted).map(|entry| entry.value).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::{CpuStats, CpuUsage, MemoryStats, PidsStats};

    fn cpu(total_usage: u64, system_cpu_usage: u64) -> CpuStats {
        let cpu_usage = CpuUsage { total_usage, ..CpuUsage::default() };
        CpuStats { cpu_usage, system_cpu_usage, online_cpus: 2, ..CpuStats::default() }
    }

    #[test]
    fn figures_are_dockers() {
        let stats = Stats {
            id: "0123456789abcdef".into(),
            name: "/web".into(),
            cpu_stats: cpu(3_000, 14_000),
            precpu_stats: cpu(1_000, 10_000),
            memory_stats: MemoryStats {
                usage: 3 << 20,
                limit: 64 << 20,
                stats: [("total_inactive_file".to_owned(), 1 << 20)].into(),
                ..MemoryStats::default()
            },
            pids_stats: PidsStats { current: 3, limit: 0 },
            ..Stats::default()
        };
        let expected = ["0123456789ab", "web", "100.00%", "2MiB / 64MiB", "3.12%", "0B / 0B", "0B / 0B", "3"];
        assert_eq!(row(&stats, false), expected);
    }

    #[test]
    fn one_that_does_not_run_uses_nothing() {
        let stats = Stats { id: "0123456789abcdef".into(), name: "/web".into(), ..Stats::default() };
        assert_eq!(row(&stats, true)[2..], ["0.00%", "0B / 0B", "0.00%", "0B / 0B", "0B / 0B", "0"]);
    }
}
