//! Colour on the narrator's stream. It only repeats what words and marks already say.

use colored::Colorize;
use std::io::IsTerminal;

/// `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorChoice {
    /// On a terminal that can, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl ColorChoice {
    /// Whether to colour standard error, where narration goes.
    pub fn on_stderr(self) -> bool {
        self.decide(std::io::stderr().is_terminal(), |name| std::env::var(name).ok())
    }

    /// The same from given facts. `NO_COLOR` counts when it is not empty: no-color.org.
    pub fn decide(self, terminal: bool, setting: impl Fn(&str) -> Option<String>) -> bool {
        match self {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => {
                terminal
                    && setting("NO_COLOR").is_none_or(|value| value.is_empty())
                    && setting("TERM").is_none_or(|term| term != "dumb")
            }
        }
    }
}

/// The weight of a piece of text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// A heading.
    Title,
    /// A sentence.
    Plain,
    /// What can be passed over.
    Quiet,
    /// A command to type.
    Command,
    /// A failure.
    Bad,
}

/// Text with or without escape sequences.
#[derive(Clone, Copy, Debug)]
pub struct Paint(pub bool);

impl Paint {
    /// `text` in its tone: ECMA-48 select graphic rendition, the terminal's own palette only, so
    /// that light and dark themes both stay readable.
    pub fn tone(self, tone: Tone, text: &str) -> String {
        if !self.0 || text.is_empty() {
            return text.to_owned();
        }
        // The decision is made, and from standard error, at which the crate does not look.
        colored::control::set_override(true);
        match tone {
            Tone::Title => text.bold(),
            Tone::Quiet => text.dimmed(),
            Tone::Command => text.cyan(),
            Tone::Bad => text.red(),
            Tone::Plain => return text.to_owned(),
        }
        .to_string()
    }
}
