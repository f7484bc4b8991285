//! What each instruction says. Variables are not put in yet: that takes the build's state.

use super::form::CommandForm;
use super::heredoc::Heredoc;

/// `name`, or `name=default`, of `ARG`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameValue {
    /// Left of the sign.
    pub name: String,
    /// Right of it; `None` without a sign.
    pub value: Option<String>,
}

/// Where `COPY` and `ADD` take something from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A path or pattern below the context, or below another stage's root.
    Path(String),
    /// A here-document, which becomes a file of its name.
    Inline(Heredoc),
}

/// `COPY` and `ADD`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// At least one.
    pub sources: Vec<Source>,
    /// A file, or a directory when it ends in a slash.
    pub destination: String,
    /// `--from`: a stage's name or number, or an image.
    pub from: Option<String>,
    /// `--chown`: `user[:group]`.
    pub chown: Option<String>,
    /// `--chmod`: octal.
    pub chmod: Option<String>,
    /// `--link`: the layer does not depend on what is below. Accepted: the files are the same.
    pub link: bool,
    /// `--checksum` of a download.
    pub checksum: Option<String>,
    /// `--exclude` patterns.
    pub exclude: Vec<String>,
}

/// `--mount` of `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub kind: String,
    /// The other `key=value` words; a key alone has an empty value.
    pub options: Vec<(String, String)>,
}

/// `RUN`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What to run.
    pub command: CommandForm,
    /// Its here-documents.
    pub heredocs: Vec<Heredoc>,
    /// `--mount`s.
    pub mounts: Vec<Mount>,
    /// `--network`: `default`, `none` or `host`.
    pub network: Option<String>,
}

/// `HEALTHCHECK CMD`; times are nanoseconds, 0 for the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What to run.
    pub command: CommandForm,
    /// Between two probes.
    pub interval: i64,
    /// Of one probe.
    pub timeout: i64,
    /// In which failures do not count.
    pub start_period: i64,
    /// Between two probes in the start period.
    pub start_interval: i64,
    /// Failures in a row.
    pub retries: i64,
}

/// One instruction, but for `FROM`, which begins a [`Stage`](super::Stage).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Instruction {
    /// Files, downloads and unpacked archives.
    Add(Transfer),
    /// Variables of the build.
    Arg(Vec<NameValue>),
    /// Default command or arguments.
    Cmd(CommandForm),
    /// Files.
    Copy(Transfer),
    /// Command that arguments are added to.
    Entrypoint(CommandForm),
    /// Variables of build and container.
    Env(Vec<(String, String)>),
    /// Ports the program listens on.
    Expose(Vec<String>),
    /// How to test the program; `None` for `NONE`.
    Healthcheck(Option<Health>),
    /// Labels.
    Label(Vec<(String, String)>),
    /// The author; deprecated.
    Maintainer(String),
    /// An instruction for images built from this one, as written.
    Onbuild(String),
    /// A command whose changes become a layer.
    Run(Run),
    /// What shell forms are run by.
    Shell(Vec<String>),
    /// What `docker stop` sends.
    Stopsignal(String),
    /// Who runs what follows, and the container.
    User(String),
    /// Places of volumes.
    Volume(Vec<String>),
    /// Where what follows runs.
    Workdir(String),
}

/// The language's words.
pub const NAMES: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

/// The word of the language that `word` was meant to be.
pub fn nearest(word: &str) -> Option<&'static str> {
    let near = |name: &&&str| distance(word, name) <= 2.min(name.len() / 2);
    NAMES.iter().filter(near).min_by_key(|name| distance(word, name)).copied()
}

/// Levenshtein's.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, a) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, b) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(a != *b);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::nearest;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        assert_eq!(nearest("FORM"), Some("FROM"));
        assert_eq!(nearest("ENTRYPONT"), Some("ENTRYPOINT"));
        assert_eq!(nearest("CPOY"), Some("COPY"));
        assert_eq!(nearest("NONSENSE"), None);
    }
}
