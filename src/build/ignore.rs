//! `.dockerignore`: what of a context stays at home.
//!
//! Source: "`.dockerignore` file" in Docker's build documentation; moby/patternmatcher. The last
//! rule that fits decides; a rule for a directory holds for everything below it.

use super::pattern::Pattern;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Rule {
    pattern: Pattern,
    /// `!`: stays in after all.
    keeps: bool,
}

/// All lines of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ignore {
    rules: Vec<Rule>,
}

/// A line that cannot be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `[`.
    #[error("line {line}: {pattern:?}: syntax error in pattern")]
    Pattern {
        /// Counted from 1.
        line: usize,
        /// As written.
        pattern: String,
    },
    /// `!` alone.
    #[error("line {0}: illegal exclusion pattern: \"!\"")]
    Exclusion(usize),
}

impl Ignore {
    /// Reads a `.dockerignore`: comments, blanks and slashes at both ends do not count.
    ///
    /// # Errors
    /// A pattern that is none, with its line.
    pub fn parse(text: &str) -> Result<Ignore, Error> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut rules = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let (keeps, written) = match line.trim().strip_prefix('!') {
                Some("") => return Err(Error::Exclusion(index + 1)),
                Some(rest) => (true, rest.trim()),
                None => (false, line.trim()),
            };
            let cleaned = clean(written);
            if cleaned.is_empty() {
                continue;
            }
            let pattern = Pattern::path(&cleaned, true)
                .map_err(|_| Error::Pattern { line: index + 1, pattern: written.to_owned() })?;
            rules.push(Rule { pattern, keeps });
        }
        Ok(Ignore { rules })
    }

    /// Whether `path` (relative, no slash at either end) stays at home.
    pub fn ignores(&self, path: &str) -> bool {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        let places: Vec<&str> = parents.chain([path]).collect();
        let mut ignored = false;
        for rule in &self.rules {
            if ignored == rule.keeps && places.iter().any(|place| rule.pattern.matches(place)) {
                ignored = !rule.keeps;
            }
        }
        ignored
    }

    /// Whether something below an ignored directory may be kept: then it has to be walked.
    pub fn has_exceptions(&self) -> bool {
        self.rules.iter().any(|rule| rule.keeps)
    }

    /// Whether nothing is ignored.
    pub fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }
}

/// Go's `filepath.Clean`, with leading slashes and `..` taken away: patterns begin at the root of
/// the context.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_rule_that_fits_decides() {
        let ignore = Ignore::parse("# note\n*.md\n!README.md\n/target/\n./a/../b\n**/secret*\n").unwrap();
        for path in ["x.md", "target", "target/debug/x", "b", "b/c", "deep/er/secret.txt", "secret"] {
            assert!(ignore.ignores(path), "{path}");
        }
        for path in ["README.md", "docs/x.md", "a", "src/target"] {
            assert!(!ignore.ignores(path), "{path}");
        }
        assert!(ignore.has_exceptions());
    }

    #[test]
    fn an_exception_below_an_ignored_directory_holds() {
        let ignore = Ignore::parse("docs\n!docs/keep\n").unwrap();
        assert!(ignore.ignores("docs/other"));
        assert!(!ignore.ignores("docs/keep"));
        assert!(!ignore.ignores("docs/keep/below"));
    }

    #[test]
    fn a_wrong_line_is_named() {
        assert_eq!(
            Ignore::parse("a\n[b").unwrap_err().to_string(),
            "line 2: \"[b\": syntax error in pattern"
        );
        assert_eq!(Ignore::parse("!").unwrap_err(), Error::Exclusion(1));
    }
}
