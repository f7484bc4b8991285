//! Colour on the narrator's stream. It only repeats what words and marks already say.

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
        let code = match tone {
            Tone::Title => "1",
            Tone::Quiet => "2",
            Tone::Command => "36",
            Tone::Bad => "31",
            Tone::Plain => return text.to_owned(),
        };
        if self.0 && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}
