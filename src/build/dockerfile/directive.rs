//! `# syntax=…`, `# escape=…` and `# check=…`: the lines above everything else.

use super::error::{Error, Problem};

/// The directives of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Directives {
    /// The frontend asked for; this builder is the only one, so it is shown, not followed.
    pub syntax: Option<String>,
    /// What joins lines and keeps characters from their meaning: `\` or `` ` ``.
    pub escape: char,
    /// Settings of build checks, as written.
    pub check: Option<String>,
}

impl Default for Directives {
    fn default() -> Directives {
        Directives { syntax: None, escape: '\\', check: None }
    }
}

impl Directives {
    /// Reads the directives at the top: they end with the first line that is none.
    ///
    /// # Errors
    /// One given twice; an escape that is neither of the two.
    pub fn read(text: &str) -> Result<Directives, Error> {
        let mut found = Directives::default();
        let mut seen: Vec<String> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let Some((name, value)) = directive(line) else { break };
            let number = index + 1;
            if seen.contains(&name) {
                return Err(Problem::DirectiveTwice(name).at(number));
            }
            match name.as_str() {
                "syntax" => found.syntax = Some(value.to_owned()),
                "check" => found.check = Some(value.to_owned()),
                _ => match value {
                    "\\" | "`" => found.escape = value.chars().next().unwrap_or('\\'),
                    _ => return Err(Problem::EscapeToken(value.to_owned()).at(number)),
                },
            }
            seen.push(name);
        }
        Ok(found)
    }
}

/// `# name = value` of a name that is known; anything else is a comment and ends the directives.
fn directive(line: &str) -> Option<(String, &str)> {
    let (name, value) = line.trim().strip_prefix('#')?.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let known = matches!(name.as_str(), "syntax" | "escape" | "check");
    known.then(|| (name, value.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directives_end_with_the_first_line_that_is_none() {
        let text = "# syntax=docker/dockerfile:1\n# Escape = `\n# a comment\n# escape=\\\nFROM x\n";
        let found = Directives::read(text).unwrap();
        assert_eq!(found.syntax.as_deref(), Some("docker/dockerfile:1"));
        assert_eq!(found.escape, '`');
    }

    #[test]
    fn a_directive_may_be_given_once_and_an_escape_is_one_of_two() {
        let twice = Directives::read("# escape=`\n# escape=`\n").unwrap_err();
        let message = "dockerfile parse error line 2: only one escape parser directive can be used";
        assert_eq!(twice.to_string(), message);
        let wrong = Directives::read("# escape=x\n").unwrap_err();
        assert_eq!(wrong.problem, Problem::EscapeToken("x".into()));
    }
}
