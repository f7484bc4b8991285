//! Displays over one stream of records.
//!
//! ```text
//!  Record ──▶ Narrator ──▶ tree, known ──▶ story | stage | kernel ──▶ page ──▶ standard error
//!                └── step: the same, and a prompt wherever the work waits
//! ```
//!
//! Narration never uses standard output: that belongs to the program in the container.

mod detailed;
pub mod evidence;
mod exchange;
mod gist;
mod lines;
mod operation;
mod page;
pub mod paint;
pub mod say;
mod shared;
pub mod step;
pub mod story;
pub mod terminal;
mod tree;

pub use paint::{ColorChoice, Paint, Tone};
pub use shared::Shared;
pub use step::Session;

use crate::lesson::known::Known;
use crate::text::{self, Lang};
use crate::trace::{Event, Record, Stop};
use detailed::{Detailed, Stand};
use page::Page;
use say::Speaker;
use std::io::Write;
use story::Story;
use tree::Tree;

/// How much is told: `--explain=…`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Depth {
    /// The six stages of the story.
    Story,
    /// Every piece of work with its facts.
    #[default]
    Stage,
    /// Every single operation.
    Kernel,
}

impl Depth {
    /// Where a stepping session of this depth stops.
    pub fn stop(self) -> Stop {
        match self {
            Depth::Story => Stop::Story,
            Depth::Stage => Stop::Stage,
            Depth::Kernel => Stop::Kernel,
        }
    }
}

/// How to tell it.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The learner's language.
    pub lang: Lang,
    /// How much.
    pub depth: Depth,
    /// Columns.
    pub width: usize,
    /// With escape sequences.
    pub color: bool,
    /// The trace was made by the simulator: a badge says so.
    pub simulated: bool,
    /// A learner stands at the gate.
    pub stepping: bool,
}

impl Options {
    /// For standard error as it is now.
    pub fn for_stderr(lang: Lang, depth: Depth, color: ColorChoice) -> Options {
        let width = terminal::stderr_width();
        Options { lang, depth, width, color: color.on_stderr(), simulated: false, stepping: false }
    }
}

/// Turns one trace's records into lines, as they come.
pub struct Narrator {
    page: Page,
    speaker: Speaker,
    tree: Tree,
    known: Known,
    display: Display,
    simulated: bool,
}

enum Display {
    Story(Story),
    Detailed(Detailed),
}

/// The badge of what the simulator does, as one line.
pub fn badge(lang: Lang) -> String {
    format!("{} · {}", text::ui(lang, "label.simulated", &[]), text::ui(lang, "label.simulated-why", &[]))
}

impl Narrator {
    /// A narrator who writes to `out`.
    pub fn new(options: Options, out: Box<dyn Write + Send>) -> Narrator {
        let display = match options.depth {
            Depth::Story => Display::Story(Story::default()),
            Depth::Stage => Display::Detailed(Detailed::new(false, options.stepping)),
            Depth::Kernel => Display::Detailed(Detailed::new(true, options.stepping)),
        };
        Narrator {
            page: Page::new(out, Paint(options.color), options.width),
            speaker: Speaker::new(options.lang),
            tree: Tree::default(),
            known: Known::default(),
            display,
            simulated: options.simulated,
        }
    }

    /// Tells one record.
    pub fn record(&mut self, record: &Record) {
        if std::mem::take(&mut self.simulated) {
            let badge = text::ui(self.speaker.lang, "label.simulated", &[]);
            self.page.heading(None, 0, "", &badge, &text::ui(self.speaker.lang, "label.simulated-why", &[]));
        }
        self.tree.record(record);
        self.known.record(record);
        let mut stand =
            Stand { page: &mut self.page, speaker: &mut self.speaker, tree: &self.tree, known: &self.known };
        match &mut self.display {
            Display::Story(story) => story.record(&mut stand, record),
            Display::Detailed(detailed) => detailed.record(&mut stand, record),
        }
        // A top-level piece of work that ended is followed by air.
        if let Event::Closed { .. } = record.event
            && self.tree.get(record.scope).is_some_and(|node| node.depth == 0)
            && let Display::Detailed(_) = self.display
        {
            self.page.breathe(None);
        }
    }

    /// Writes what is still kept back. Work without an end is said to be so.
    pub fn finish(&mut self) {
        self.page.finish();
        let open = self.tree.open_scopes();
        if open > 0 {
            let words = text::ui(self.speaker.lang, "narration.unfinished", &[("count", &open)]);
            self.page.paragraph(None, 0, "! ", Tone::Quiet, &words);
        }
        self.page.finish();
    }

    /// Shows what was told so far, as far as it need not wait for other work.
    pub fn flush(&mut self) {
        self.page.flush();
    }

    /// Whether no scope is open.
    pub fn is_idle(&self) -> bool {
        self.tree.open_scopes() == 0
    }

    /// What the trace has shown so far.
    pub fn known(&self) -> &Known {
        &self.known
    }
}
