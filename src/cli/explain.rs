//! `learn explain [last|ID|EXIT-CODE]`: what an exit code can mean, and which cause this run's
//! was.

use super::render::{Depth, Narrator, Options, Paint, Tone};
use crate::op::{Op, ProcessOp};
use crate::text::{self, Lang};
use crate::trace::{Decision, Event, Facts, Note, Record, Scope, TraceInfo};
use nix::errno::Errno;
use nix::sys::signal::Signal;
use std::io::{self, Write};
use std::str::FromStr;

/// What to explain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The newest trace.
    Last,
    /// An exit code, without a trace.
    Code(u8),
    /// A trace by its id or the head of it.
    Trace(String),
}

/// An argument that is neither.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0:?} is neither an exit code (0 to 255) nor a trace id")]
pub struct UnknownSubject(String);

impl FromStr for Subject {
    type Err = UnknownSubject;

    /// Up to three digits are an exit code; hex digits are the head of a trace's id.
    fn from_str(argument: &str) -> Result<Subject, UnknownSubject> {
        let unknown = || UnknownSubject(argument.to_owned());
        match argument {
            "last" => Ok(Subject::Last),
            _ if argument.len() <= 3 && argument.bytes().all(|b| b.is_ascii_digit()) => {
                argument.parse().map(Subject::Code).map_err(|_| unknown())
            }
            _ if !argument.is_empty() && argument.bytes().all(|b| b.is_ascii_hexdigit()) => {
                Ok(Subject::Trace(argument.to_owned()))
            }
            _ => Err(unknown()),
        }
    }
}

/// Why a run ended as it did, proven by its trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The program reported success.
    Success,
    /// The program reported something of its own.
    Own,
    /// The kernel, over the memory limit.
    OutOfMemory,
    /// SIGKILL, after the stop signal's patience ran out.
    StopTimeout,
    /// The stop signal.
    Stop(String),
    /// A kill request.
    Kill(String),
    /// A signal that no request of this trace sent.
    Signal(String),
    /// The program is not in the image.
    NotFound(String),
    /// The program may not be executed.
    NotExecutable(String),
    /// Failed before the start.
    Refused(String),
    /// The learner stopped it.
    Aborted,
}

/// An exit code and its cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What the client exits with.
    pub code: u8,
    /// Why.
    pub cause: Cause,
}

/// What the client exits with when the learner stopped the run.
const ABORTED: u8 = 130;

/// What ended the run of a trace; `None` when nothing ended in it.
pub fn verdict(records: &[Record]) -> Option<Verdict> {
    let mut found = Found::default();
    for record in records {
        found.record(record);
    }
    found.verdict()
}

/// What was seen on the way through a trace.
#[derive(Default)]
struct Found {
    exited: Option<Facts>,
    stopping: bool,
    sent: Vec<String>,
    killing: bool,
    exec_failure: Option<(i32, String)>,
    started: bool,
    aborted: bool,
    error: Option<String>,
}

impl Found {
    fn record(&mut self, record: &Record) {
        match &record.event {
            Event::Opened { kind: Scope::ContainerStop, .. } => self.stopping = true,
            Event::Opened { kind: Scope::ContainerKill, .. } => self.killing = true,
            Event::Will { op: Op::Process(ProcessOp::Signal { signal, .. }) } => {
                self.sent.push(signal.clone())
            }
            Event::Failed { op, errno: Some(errno), error, .. }
                if op == "process.exec" || op == "process.lookup-program" =>
            {
                self.exec_failure = Some((*errno, error.clone()));
            }
            Event::Note { note: Note::Exited, facts } => self.exited = Some(facts.clone()),
            Event::Note { note: Note::Running, .. } => self.started = true,
            Event::Note { note: Note::Aborted, .. } | Event::Released { decision: Decision::Abort } => {
                self.aborted = true;
            }
            Event::Did { op, .. } if op == "process.exec" => self.started = true,
            // The innermost error comes first; a lookup that misses is followed by a pull.
            Event::Closed { error: Some(error), .. } => {
                self.error.get_or_insert_with(|| error.clone());
            }
            Event::Opened { kind: Scope::ImagePull | Scope::ContainerCreate, .. } => self.error = None,
            _ => {}
        }
    }

    fn verdict(self) -> Option<Verdict> {
        if let Some(facts) = &self.exited {
            return Some(self.ended(facts));
        }
        if self.aborted {
            return Some(Verdict { code: ABORTED, cause: Cause::Aborted });
        }
        match self.exec_failure {
            Some((errno, error)) if errno == Errno::ENOENT as i32 => {
                return Some(Verdict { code: 127, cause: Cause::NotFound(error) });
            }
            Some((_, error)) => return Some(Verdict { code: 126, cause: Cause::NotExecutable(error) }),
            None => {}
        }
        let error = self.error.filter(|_| !self.started)?;
        Some(Verdict { code: 125, cause: Cause::Refused(error) })
    }

    fn ended(&self, facts: &Facts) -> Verdict {
        let code = facts.get("code").and_then(|code| code.parse().ok()).unwrap_or(0);
        let signal = facts.get("signal").and_then(|signal| signal_name(signal));
        let oom = facts.get("oom").is_some_and(|oom| oom == "true");
        let cause = match signal {
            _ if oom => Cause::OutOfMemory,
            None if code == 0 => Cause::Success,
            None => Cause::Own,
            Some(signal) if self.stopping && signal == "SIGKILL" => Cause::StopTimeout,
            Some(signal) if self.stopping && self.sent.contains(&signal) => Cause::Stop(signal),
            Some(signal) if self.killing && self.sent.contains(&signal) => Cause::Kill(signal),
            Some(signal) => Cause::Signal(signal),
        };
        Verdict { code, cause }
    }
}

/// `SIGKILL` from `SIGKILL` or `9`; `None` for none (empty or 0).
fn signal_name(signal: &str) -> Option<String> {
    match signal.parse::<i32>() {
        Ok(0) => None,
        Ok(number) => Some(Signal::try_from(number).map_or_else(|_| number.to_string(), |s| s.to_string())),
        Err(_) if signal.starts_with("SIG") => Some(signal.to_owned()),
        Err(_) => None,
    }
}

impl Cause {
    /// The cause as a sentence.
    pub fn say(&self, lang: Lang, code: u8) -> String {
        let say = |key: &str, name: &str, value: &str| {
            text::ui(lang, &format!("exit.cause-{key}"), &[(name, &value), ("code", &code)])
        };
        match self {
            Cause::Success => say("success", "", ""),
            Cause::Own => say("own", "", ""),
            Cause::OutOfMemory => say("oom", "", ""),
            Cause::StopTimeout => say("stop-timeout", "", ""),
            Cause::Stop(signal) => say("stop", "signal", signal),
            Cause::Kill(signal) => say("kill", "signal", signal),
            Cause::Signal(signal) => say("signal", "signal", signal),
            Cause::NotFound(error) => say("not-found", "error", error),
            Cause::NotExecutable(error) => say("not-executable", "error", error),
            Cause::Refused(error) => say("refused", "error", error),
            Cause::Aborted => say("aborted", "", ""),
        }
    }
}

/// What an exit code can mean, as one paragraph.
pub fn meaning(lang: Lang, code: u8) -> String {
    let key = format!("exit.{code}");
    let known = text::ui(lang, &key, &[]);
    if known != key {
        return known;
    }
    match code.checked_sub(128).and_then(|number| Signal::try_from(i32::from(number)).ok()) {
        Some(signal) => {
            text::ui(lang, "exit.signal", &[("number", &(code - 128)), ("signal", &signal.as_str())])
        }
        None => text::ui(lang, "exit.own", &[("code", &code)]),
    }
}

/// Prints what `code` can mean.
///
/// # Errors
/// When `out` cannot be written to.
pub fn explain_code(options: Options, code: u8, out: &mut dyn Write) -> io::Result<()> {
    let heading = text::ui(options.lang, "explain.code", &[("code", &code)]);
    writeln!(out, "{}", Paint(options.color).tone(Tone::Title, &heading))?;
    write_wrapped(out, options.width, &meaning(options.lang, code))
}

/// Prints a trace's story, its exit code's meaning, and which cause was this run's.
///
/// # Errors
/// When `out` cannot be written to.
pub fn explain_trace(
    options: Options,
    info: &TraceInfo,
    records: &[Record],
    mut out: Box<dyn Write + Send>,
) -> io::Result<()> {
    let lang = options.lang;
    let paint = Paint(options.color);
    let title = text::ui(lang, "trace.title", &[("id", &info.id), ("title", &info.title)]);
    writeln!(out, "{}\n", paint.tone(Tone::Title, &title))?;
    let told = super::render::Shared::default();
    let options = Options { depth: Depth::Story, simulated: info.simulated, ..options };
    let mut narrator = Narrator::new(options, Box::new(told.clone()));
    for record in records {
        narrator.record(record);
    }
    narrator.finish();
    out.write_all(&told.take())?;
    writeln!(out)?;
    let Some(verdict) = verdict(records) else {
        let started = records.iter().any(|r| matches!(r.event, Event::Note { note: Note::Running, .. }));
        let key = if started { "explain.still-running" } else { "explain.no-exit" };
        return write_wrapped(&mut out, options.width, &text::ui(lang, key, &[]));
    };
    explain_code(options, verdict.code, &mut out)?;
    let yours = text::ui(lang, "explain.yours", &[]);
    write_wrapped(&mut out, options.width, &format!("{yours}: {}", verdict.cause.say(lang, verdict.code)))?;
    let tried = tried(records);
    if !tried.is_empty() {
        write_wrapped(&mut out, options.width, &text::ui(lang, "explain.tried", &[]))?;
    }
    tried.iter().try_for_each(|place| writeln!(out, "    {place}"))
}

/// Every file that was tried for a program that was not found, with the kernel's answer.
fn tried(records: &[Record]) -> Vec<String> {
    let facts = records.iter().find_map(|record| match &record.event {
        Event::Failed { op, facts, .. } if op == "process.lookup-program" => Some(facts),
        _ => None,
    });
    let tried = facts.and_then(|facts| facts.get("tried")).map(String::as_str).unwrap_or_default();
    tried.split("; ").filter(|place| !place.is_empty()).map(str::to_owned).collect()
}

fn write_wrapped(out: &mut dyn Write, width: usize, body: &str) -> io::Result<()> {
    for line in text::wrap(body, width.saturating_sub(2)) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}
