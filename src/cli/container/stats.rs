//! `learn stats`: what containers use, once or as a table that goes on.

use super::args;
use crate::cli::format::template::Value;
use crate::cli::format::{List, column, size, words};
use crate::cli::{Context, Failure, output};
use crate::client::container::List as Request;
use crate::client::{Client, Error};
use crate::wire::{BlkioEntry, EventMessage, Stats};
use futures_util::stream::{BoxStream, SelectAll, StreamExt};
use std::collections::BTreeMap;
use std::time::Duration;

/// Between two looks at the table, as Docker's client.
const REFRESH: Duration = Duration::from_millis(500);

const TABLE: &str = "table {{.ID}}\\t{{.Name}}\\t{{.CPUPerc}}\\t{{.MemUsage}}\\t{{.MemPerc}}\\t{{.NetIO}}\\t\
                     {{.BlockIO}}\\t{{.PIDs}}";

/// A container in the table; without figures as long as none have come.
struct Line {
    asked: String,
    stats: Option<Stats>,
    whole: bool,
}

static STATS: List<Line> = List {
    type_name: "*container.statsContext",
    columns: &[
        column("BlockIO", "BLOCK I/O", |line| figure(line, "--", block_io)),
        column("CPUPerc", "CPU %", |line| {
            figure(line, "--", |stats| format!("{:.2}%", processor_percent(stats)))
        }),
        column("Container", "CONTAINER", |line| line.asked.as_str().into()),
        column("ID", "CONTAINER ID", |line| match &line.stats {
            Some(stats) => words::id(&stats.id, line.whole).into(),
            None => unknown_id(line).into(),
        }),
        column("MemPerc", "MEM %", |line| {
            figure(line, "--", |stats| {
                format!("{:.2}%", percent(memory_used(stats), stats.memory_stats.limit))
            })
        }),
        column("MemUsage", "MEM USAGE / LIMIT", |line| figure(line, "-- / --", memory)),
        column("Name", "NAME", |line| {
            figure(line, "--", |stats| stats.name.trim_start_matches('/').to_owned())
        }),
        column("NetIO", "NET I/O", |line| figure(line, "--", network_io)),
        column("PIDs", "PIDS", |line| figure(line, "--", |stats| stats.pids_stats.current.to_string())),
    ],
    label: None,
};

fn figure(line: &Line, unknown: &str, show: fn(&Stats) -> String) -> Value {
    line.stats.as_ref().map_or_else(|| unknown.into(), |stats| show(stats).into())
}

fn unknown_id(line: &Line) -> String {
    if line.asked.len() == 64 { words::id(&line.asked, line.whole) } else { line.asked.clone() }
}

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
    let containers = client.list_containers(&Request { all, ..Request::default() }).await?;
    Ok(containers.into_iter().map(|container| container.id).collect())
}

/// All at once: each needs a second between its two samples.
async fn once(client: &Client, names: &[String], asked: &args::Stats) -> Result<(), Failure> {
    let samples = names.iter().map(|name| async move { (name, client.container_stats(name).await) });
    let mut lines = Vec::new();
    let mut failures = Vec::new();
    for (name, sample) in futures_util::future::join_all(samples).await {
        match sample {
            Ok(sample) => {
                lines.push(Line { asked: name.clone(), stats: Some(sample), whole: asked.no_trunc })
            }
            Err(error) => failures.push(error.into()),
        }
    }
    if failures.is_empty() {
        output::text(&STATS.write(format(asked), lines)?)?;
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

fn format(asked: &args::Stats) -> &str {
    match asked.format.as_str() {
        "" | "table" => TABLE,
        custom => custom,
    }
}

/// The whole screen, line by line over the one before: it does not flicker.
fn draw(shown: &BTreeMap<usize, (String, Stats)>, asked: &args::Stats) -> Result<(), Failure> {
    let lines = shown.values().map(|(name, stats)| Line {
        asked: name.clone(),
        stats: Some(stats.clone()).filter(|stats| !stats.id.is_empty()),
        whole: asked.no_trunc,
    });
    let text = STATS.write(format(asked), lines.collect())?;
    // Docker's client sends these also where there is no terminal.
    let text: String = text.lines().map(|line| format!("{line}\x1b[K\n")).collect();
    output::text(&format!("\x1b[H{text}\x1b[J"))
}

fn memory(stats: &Stats) -> String {
    let (used, limit) = (memory_used(stats), stats.memory_stats.limit);
    format!("{} / {}", size::binary(signed(used)), size::binary(signed(limit)))
}

fn network_io(stats: &Stats) -> String {
    let all = stats.networks.values();
    let (received, sent) =
        all.fold((0, 0), |(received, sent), one| (received + one.rx_bytes, sent + one.tx_bytes));
    format!("{} / {}", size::short(signed(received)), size::short(signed(sent)))
}

fn block_io(stats: &Stats) -> String {
    let bytes = stats.blkio_stats.io_service_bytes_recursive.as_deref().unwrap_or_default();
    let (read, written) = (moved(bytes, 'r'), moved(bytes, 'w'));
    format!("{} / {}", size::short(signed(read)), size::short(signed(written)))
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
        let line = Line { asked: "web".into(), stats: Some(stats), whole: false };
        let expected = "CONTAINER ID   NAME      CPU %     MEM USAGE / LIMIT   MEM %     NET I/O   BLOCK I/O   PIDS\n\
                        0123456789ab   web       100.00%   2MiB / 64MiB        3.12%     0B / 0B   0B / 0B     3\n";
        assert_eq!(STATS.write(TABLE, vec![line]).unwrap(), expected);
    }

    #[test]
    fn one_that_does_not_run_uses_nothing() {
        let stats = Stats { id: "0123456789abcdef".into(), name: "/web".into(), ..Stats::default() };
        let line = |stats| Line { asked: "web".into(), stats, whole: false };
        let format = "{{.ID}} {{.CPUPerc}} {{.MemUsage}} {{.PIDs}}";
        assert_eq!(STATS.write(format, vec![line(Some(stats))]).unwrap(), "0123456789ab 0.00% 0B / 0B 0\n");
        assert_eq!(
            STATS.write(format, vec![line(None)]).unwrap(),
            "web -- -- / -- --\n",
            "nothing has come yet"
        );
    }
}
