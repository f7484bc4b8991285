//! `-e` and `--env-file`: the environment a container is given.

use crate::cli::Failure;
use std::path::{Path, PathBuf};

/// Files first, then `-e`, so that the latter wins. A name alone takes the caller's value, and is
/// left out when the caller has none.
///
/// # Errors
/// A file that cannot be read, or a line that is no variable.
pub fn collect(given: &[String], files: &[PathBuf]) -> Result<Vec<String>, Failure> {
    let own = |name: &str| std::env::var(name).ok();
    let mut variables = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(file)
            .map_err(|error| Failure::Usage(format!("learn: open {}: {error}", file.display())))?;
        variables.extend(read(file, &text, own)?);
    }
    for variable in given {
        let name = variable.split('=').next().unwrap_or_default();
        if name.is_empty() {
            return Err(Failure::Usage(format!(
                "invalid argument \"{variable}\" for \"-e, --env\" flag: invalid environment variable: {variable}"
            )));
        }
        variables.extend(resolve(variable, own));
    }
    Ok(variables)
}

fn resolve(variable: &str, own: impl Fn(&str) -> Option<String>) -> Option<String> {
    match variable.contains('=') {
        true => Some(variable.to_owned()),
        false => own(variable).map(|value| format!("{variable}={value}")),
    }
}

/// One variable a line; empty lines and lines that begin with `#` are passed over.
fn read(
    file: &Path,
    text: &str,
    own: impl Fn(&str) -> Option<String> + Copy,
) -> Result<Vec<String>, Failure> {
    let mut variables = Vec::new();
    for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let name = line.split('=').next().unwrap_or_default();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(Failure::Usage(format!(
                "learn: {}:{}: expected NAME=VALUE, found {line:?}",
                file.display(),
                index + 1
            )));
        }
        variables.extend(resolve(line, own));
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_holds_one_variable_a_line() {
        let own = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        let text = "# comment\n\nA=1 # not a comment\nHOME\nABSENT\n  B=\n";
        let variables = read(Path::new("f"), text, own).unwrap();
        assert_eq!(variables, ["A=1 # not a comment", "HOME=/home/me", "B="]);
    }

    #[test]
    fn a_line_that_is_no_variable_is_named_with_its_place() {
        let error = read(Path::new("f.env"), "A=1\nB C=2\n", |_| None).unwrap_err().to_string();
        assert_eq!(error, "learn: f.env:2: expected NAME=VALUE, found \"B C=2\"");
    }
}
