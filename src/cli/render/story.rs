//! Depth `story`: the six stages, each with a sentence and the facts that matter most.

use super::detailed::Stand;
use super::paint::Tone;
use crate::text::{self, Lang, glossary};
use crate::trace::{Event, Note, Record, Scope, Stage};
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
                if self.tells(*note) {
                    let (sentence, _) = stand.speaker.note(*note, facts);
                    stand.page.paragraph(None, 3, "- ", Tone::Plain, &sentence);
                    self.facts += 1;
                }
            }
            Event::Closed { error: Some(error), .. } if !self.missed => self.failed(stand, error),
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
            Note::CgroupMode | Note::CgroupAbsent | Note::Running | Note::Exited => Some(Stage::StartCommand),
            _ => None,
        };
        let told_apart = matches!(note, Note::Exited | Note::Aborted);
        key.is_some() && key == self.current && (self.facts < FACTS || told_apart) || note == Note::Aborted
    }

    fn failed(&self, stand: &mut Stand<'_>, error: &str) {
        if let Some(error) = stand.speaker.error(error) {
            let failed = text::ui(stand.speaker.lang, "narration.failed-with", &[("error", &error)]);
            stand.page.paragraph(None, 3, "! ", Tone::Bad, &failed);
        }
    }

    fn rollback(&self, stand: &mut Stand<'_>) {
        if let Some(entry) = glossary().scope(Scope::Rollback) {
            let lang = stand.speaker.lang;
            stand.page.breathe(None);
            stand.page.heading(None, 0, "< ", entry.title.get(lang), "");
            stand.page.paragraph(None, 3, "", Tone::Plain, entry.say.get(lang));
        }
    }
}

/// The stage's title.
pub fn title(lang: Lang, stage: Stage) -> String {
    glossary().stage(stage).map_or_else(String::new, |entry| entry.title.get(lang).to_owned())
}

/// 1 to 6.
pub fn number(stage: Stage) -> usize {
    Stage::VARIANTS.iter().position(|known| *known == stage).map_or(0, |index| index + 1)
}
