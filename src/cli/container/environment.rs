//! `-e`, `--env-file` and `--label-file`: pairs of names and values.

use super::flags::files::go_error;
use crate::cli::Failure;
use std::path::{Path, PathBuf};

/// One `-e`: a name alone takes the caller's value.
///
/// # Errors
/// No name.
pub fn variable(text: &str) -> Result<String, String> {
    match text.split_once('=') {
        _ if text.is_empty() || text.starts_with('=') => Err(format!("invalid environment variable: {text}")),
        Some(_) => Ok(text.to_owned()),
        None => Ok(own(text).map_or_else(|| text.to_owned(), |value| format!("{text}={value}"))),
    }
}

fn own(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Files first, then `-e`, so that the latter wins. A name alone in a file takes the caller's
/// value, and is left out when the caller has none.
///
/// # Errors
/// A file that cannot be read, or a line that is no variable, in Docker's words.
pub fn variables(given: &[String], files: &[PathBuf]) -> Result<Vec<String>, String> {
    gather(given, files, own)
}

/// The same for `exec`, which has no frame for its refusals.
///
/// # Errors
/// As [`variables`].
pub fn collect(given: &[String], files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    variables(given, files).map_err(Failure::Arguments)
}

/// The same for labels, where a name alone has no value to take.
///
/// # Errors
/// As [`variables`].
pub fn labels(given: &[String], files: &[PathBuf]) -> Result<Vec<String>, String> {
    gather(given, files, |_| None)
}

fn gather(
    given: &[String],
    files: &[PathBuf],
    own: impl Fn(&str) -> Option<String> + Copy,
) -> Result<Vec<String>, String> {
    let mut pairs = Vec::new();
    for file in files {
        let bytes =
            std::fs::read(file).map_err(|error| format!("open {}: {}", file.display(), go_error(&error)))?;
        pairs.extend(read(file, &bytes, own)?);
    }
    pairs.extend(given.iter().cloned());
    Ok(pairs)
}

/// One pair a line; empty lines and lines that begin with `#` are passed over.
fn read(file: &Path, bytes: &[u8], own: impl Fn(&str) -> Option<String>) -> Result<Vec<String>, String> {
    let invalid = |what: String| format!("invalid env file ({}): {what}", file.display());
    let mut pairs = Vec::new();
    for (place, line) in bytes.split(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let text = std::str::from_utf8(line).map_err(|_| {
            let bytes: Vec<String> = line.iter().map(u8::to_string).collect();
            invalid(format!("invalid utf8 bytes at line {}: [{}]", place + 1, bytes.join(" ")))
        })?;
        let text = if place == 0 { text.trim_start_matches('\u{feff}') } else { text };
        let text = text.trim_start();
        if text.is_empty() || text.starts_with('#') {
            continue;
        }
        let name = text.split('=').next().unwrap_or_default();
        if name.is_empty() {
            return Err(invalid(format!("no variable name on line '{text}'")));
        }
        if name.contains([' ', '\t']) {
            return Err(invalid(format!("variable '{name}' contains whitespaces")));
        }
        match text.contains('=') {
            true => pairs.push(text.to_owned()),
            false => pairs.extend(own(name).map(|value| format!("{name}={value}"))),
        }
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_variable_a_line() {
        let own = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        let text = b"# comment\n\nA=1 # not a comment\nHOME\nABSENT\n  B=\n";
        let variables = read(Path::new("f"), text, own).unwrap();
        assert_eq!(variables, ["A=1 # not a comment", "HOME=/home/me", "B="]);
    }

    #[test]
    fn a_line_that_is_no_variable_is_named() {
        let error = read(Path::new("f.env"), b"A=1\nB C=2\n", |_| None).unwrap_err();
        assert_eq!(error, "invalid env file (f.env): variable 'B C' contains whitespaces");
        let error = read(Path::new("f.env"), b"=2\n", |_| None).unwrap_err();
        assert_eq!(error, "invalid env file (f.env): no variable name on line '=2'");
    }
}
