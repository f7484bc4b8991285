//! Evidence commands: what a learner could type, run on this machine now, without a shell.

use crate::text::{self, Missing};
use std::io;
use std::process::{Command, Stdio};

/// Lines shown of a command's output.
const LINES: usize = 24;

/// What a command said.
#[derive(Debug, PartialEq, Eq)]
pub struct Evidence {
    /// The first lines of its output, errors after.
    pub lines: Vec<String>,
    /// Lines not shown.
    pub left_out: usize,
    /// Its exit code; 128 + the signal that ended it.
    pub status: i32,
}

/// A template's words with their values. The template is split before it is filled, so a value
/// always stays one word, whatever it holds.
///
/// # Errors
/// The value that is not known yet.
pub fn command(
    template: &str,
    mut value: impl FnMut(&str) -> Option<String>,
) -> Result<Vec<String>, Missing> {
    // A template that does not split is one word; a test rules it out for the embedded ones.
    let words = shell_words::split(template).unwrap_or_else(|_| vec![template.to_owned()]);
    words.iter().map(|word| text::fill(word, &mut value)).collect()
}

/// A command as it is shown: a path's component of 32 hex digits or more is cut to 12 and a `*`, which
/// a shell completes again. Quoted words stay whole: no shell looks for a `*` in them.
pub fn shown(command: &str) -> String {
    if command.contains(['\'', '"', '\\']) {
        return command.to_owned();
    }
    let cut = |part: &str| {
        let digits = part.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(part.len());
        if digits < 32 { part.to_owned() } else { format!("{}*{}", &part[..12], &part[digits..]) }
    };
    command.split('/').map(cut).collect::<Vec<_>>().join("/")
}

/// Runs a command to its end, with nothing on its standard input. `learn` means this program, and
/// `environment` tells it which engine this learner talks to.
///
/// # Errors
/// When it cannot be started.
pub fn run(argv: &[String], environment: &[(&str, String)]) -> io::Result<Evidence> {
    let [program, arguments @ ..] = argv else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "empty command"));
    };
    let program = match program.as_str() {
        "learn" => std::env::current_exe()?,
        other => other.into(),
    };
    let mut command = Command::new(program);
    command.args(arguments).envs(environment.iter().map(|(name, value)| (name, value)));
    let output = command.stdin(Stdio::null()).output()?;
    let all = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&all).replace('\0', " ");
    // Control bytes of another program must not reach the learner's terminal.
    let mut lines: Vec<String> = text
        .lines()
        .map(|line| {
            line.chars().map(|c| if c == '\t' { ' ' } else { c }).filter(|c| !c.is_control()).collect()
        })
        .collect();
    let left_out = lines.len().saturating_sub(LINES);
    lines.truncate(LINES);
    let signal = || std::os::unix::process::ExitStatusExt::signal(&output.status).unwrap_or(0) + 128;
    Ok(Evidence { lines, left_out, status: output.status.code().unwrap_or_else(signal) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_stays_one_word_whatever_it_holds() {
        let argv = command("cat '{path}'", |_| Some("/tmp/a b; rm -rf $HOME".into())).unwrap();
        assert_eq!(argv, ["cat", "/tmp/a b; rm -rf $HOME"]);
    }

    #[test]
    fn a_missing_value_is_named_before_anything_runs() {
        assert_eq!(command("ls /proc/{pid}/ns", |_| None).unwrap_err().0, "pid");
    }

    #[test]
    fn long_ids_in_paths_are_shown_short_and_a_shell_still_finds_them() {
        let id = "0123456789ab".repeat(6);
        assert_eq!(shown(&format!("cat /c/{id}/a.json")), "cat /c/0123456789ab*/a.json");
        assert_eq!(shown(&format!("ls -l /blobs/{id}")), "ls -l /blobs/0123456789ab*");
        assert_eq!(shown("ls -l /proc/4711/ns"), "ls -l /proc/4711/ns");
        let quoted = format!("cat '/a b/{id}'");
        assert_eq!(shown(&quoted), quoted);
    }

    #[test]
    fn output_is_cleaned_and_the_exit_code_kept() {
        let argv = ["sh", "-c", "printf 'a\\033[2Jb\\n'; exit 3"].map(str::to_owned);
        let evidence = run(&argv, &[]).unwrap();
        assert_eq!((evidence.lines, evidence.status), (vec!["a[2Jb".to_owned()], 3));
    }
}
