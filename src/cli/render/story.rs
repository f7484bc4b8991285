//! Depth `story`: the six stages, each with a sentence and the facts that matter most.

use super::detailed::Stand;
use super::paint::Tone;
use super::say::{errno, shorten};
use crate::text::{self, Lang, glossary};
use crate::trace::{Event, Facts, Note, Record, Scope, Stage};
use strum::VariantArray;

/// Facts told per stage.
const FACTS: usize = 3;

/// The display.
#[derive(Debug, Default)]
pub struct Story {
    current: Option<Stage>,
    facts: usize,
    looked_up: bool,
    /// The request being told asked for an image that is not here: its error is the story's turn,
    /// not its end.
    missed: bool,
    /// The learner stopped: what fails from then on fails for that reason.
    aborted: bool,
    /// The operation that failed last: told only when the work around it fails as well.
    failure: Option<Failure>,
}

/// A failed operation.
#[derive(Debug)]
struct Failure {
    error: String,
    line: String,
    facts: Vec<(String, String)>,
}

impl Story {
    /// Shows one record, if the story tells it.
    pub fn record(&mut self, stand: &mut Stand<'_>, record: &Record) {
        match &record.event {
            Event::Opened { kind: Scope::Rollback, .. } => self.rollback(stand),
            Event::Opened { id, .. } => {
                self.missed &= record.scope != 0;
                if let Some(stage) = stand.tree.stage(*id) {
                    self.enter(stand, stage);
                }
            }
            Event::Note { note, facts } => {
                if *note == Note::CacheMiss {
                    self.missed = true;
                    self.enter(stand, Stage::ImageMissing);
                }
                self.aborted |= *note == Note::Aborted;
                if self.tells(*note) && !is_ping(*note, facts) && once(stand, *note) {
                    let (sentence, _) = stand.speaker.note(*note, facts);
                    stand.page.paragraph(None, 3, "- ", Tone::Plain, &sentence);
                    self.facts += 1;
                }
            }
            Event::Failed { op, errno: number, error, facts, .. } => {
                self.failure = Some(failure(stand.speaker.lang, (op, *number, error), facts));
            }
            Event::Closed { error: Some(error), .. } if !self.missed && !self.aborted => {
                self.failed(stand, error)
            }
            Event::Missed { count } => {
                let missed = text::ui(stand.speaker.lang, "trace.missed-some", &[("count", count)]);
                stand.page.paragraph(None, 3, "! ", Tone::Bad, &missed);
            }
            _ => {}
        }
    }

    /// Begins a stage the story has not come to yet; it never goes back.
    fn enter(&mut self, stand: &mut Stand<'_>, stage: Stage) {
        if Some(stage) <= self.current {
            return;
        }
        if self.looked_up {
            for skipped in Stage::VARIANTS.iter().filter(|s| Some(**s) > self.current && **s < stage) {
                self.heading(stand, *skipped);
                let words = stand.speaker.word("skipped");
                stand.page.paragraph(None, 3, "", Tone::Quiet, &words);
            }
        }
        self.looked_up |= stage == Stage::CacheCheck;
        self.current = Some(stage);
        self.facts = 0;
        self.heading(stand, stage);
        if let Some(entry) = glossary().stage(stage) {
            stand.page.paragraph(None, 3, "", Tone::Plain, entry.say.get(stand.speaker.lang));
        }
    }

    fn heading(&self, stand: &mut Stand<'_>, stage: Stage) {
        stand.page.breathe(None);
        let title = title(stand.speaker.lang, stage);
        stand.page.heading(None, 0, &format!("{}. ", number(stage)), &title, "");
    }

    fn tells(&self, note: Note) -> bool {
        let key = match note {
            Note::Peer => Some(Stage::ClientToDaemon),
            Note::CacheHit => Some(Stage::CacheCheck),
            Note::CacheMiss => Some(Stage::ImageMissing),
            Note::BuiltinHub | Note::RegistryChosen | Note::PlatformChosen | Note::LayerExists => {
                Some(Stage::PullAndCache)
            }
            Note::NameChosen | Note::CommandChosen | Note::Overlay | Note::PlainCopy => {
                Some(Stage::SnapshotToContainer)
            }
            Note::NetworkMode
            | Note::CgroupMode
            | Note::CgroupAbsent
            | Note::Running
            | Note::Exited
            | Note::Remains => Some(Stage::StartCommand),
            _ => None,
        };
        let told_apart = matches!(note, Note::Exited | Note::Remains | Note::Aborted);
        key.is_some() && key == self.current && (self.facts < FACTS || told_apart) || note == Note::Aborted
    }

    fn failed(&mut self, stand: &mut Stand<'_>, error: &str) {
        // The operation that failed says more than the work around it.
        if let Some(failure) = self.failure.take_if(|failure| error.contains(&failure.error)) {
            if stand.speaker.error(&failure.error).is_some() {
                stand.page.paragraph(None, 3, "! ", Tone::Bad, &failure.line);
                if !failure.facts.is_empty() {
                    let facts = stand.speaker.list(&failure.facts);
                    stand.page.paragraph(None, 5, "", Tone::Quiet, &facts);
                }
            }
        } else if let Some(error) = stand.speaker.error(error) {
            let failed = text::ui(stand.speaker.lang, "narration.failed-with", &[("error", &error)]);
            stand.page.paragraph(None, 3, "! ", Tone::Bad, &failed);
        }
    }

    fn rollback(&self, stand: &mut Stand<'_>) {
        if !stand.speaker.first_time(Scope::Rollback.name()) {
            return;
        }
        if let Some(entry) = glossary().scope(Scope::Rollback) {
            let lang = stand.speaker.lang;
            stand.page.breathe(None);
            stand.page.heading(None, 0, "< ", entry.title.get(lang), "");
            stand.page.paragraph(None, 3, "", Tone::Plain, entry.say.get(lang));
        }
    }
}

/// Who asks is said once, for the first request that asks for work.
fn once(stand: &mut Stand<'_>, note: Note) -> bool {
    note != Note::Peer || stand.speaker.first_time(note.name())
}

/// Every client asks first whether anybody is there; that is no part of the story.
fn is_ping(note: Note, facts: &Facts) -> bool {
    note == Note::Peer && facts.get("path").is_some_and(|path| path.ends_with("/_ping"))
}

fn failure(lang: Lang, (op, number, error): (&str, Option<i32>, &str), facts: &Facts) -> Failure {
    let title = glossary().op(op).map_or(op, |entry| entry.title.get(lang));
    let number = number.map(|number| format!(" ({})", errno(lang, number))).unwrap_or_default();
    let line = format!("{title}: {}{number}", shorten(error));
    let facts = facts.iter().map(|(name, value)| (name.clone(), shorten(value))).collect();
    Failure { error: error.to_owned(), line, facts }
}

/// The stage's title.
pub fn title(lang: Lang, stage: Stage) -> String {
    glossary().stage(stage).map_or_else(String::new, |entry| entry.title.get(lang).to_owned())
}

/// 1 to 6.
pub fn number(stage: Stage) -> usize {
    Stage::VARIANTS.iter().position(|known| *known == stage).map_or(0, |index| index + 1)
}
