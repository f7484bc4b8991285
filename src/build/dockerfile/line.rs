//! Logical lines: comments left out, continued lines joined, here-documents taken along.

use super::directive::Directives;
use super::error::{Error, Problem};
use super::heredoc::{self, Heredoc};

/// One instruction as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Of its first physical line, counted from 1.
    pub number: usize,
    /// Joined, without comments and line breaks, without blanks at both ends.
    pub text: String,
    /// Their bodies, in order.
    pub heredocs: Vec<Heredoc>,
}

/// Splits a file into logical lines; the second value is what Docker warns of.
///
/// # Errors
/// A here-document that does not end.
pub fn split(text: &str, directives: &Directives) -> Result<(Vec<Line>, Vec<String>), Error> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let physical: Vec<&str> = text.lines().collect();
    let (mut lines, mut warnings, mut at) = (Vec::new(), Vec::new(), 0);
    while at < physical.len() {
        let start = at;
        if is_blank(physical[at]) || is_comment(physical[at]) {
            at += 1;
            continue;
        }
        let (mut joined, mut empty_inside) = (String::new(), false);
        while at < physical.len() {
            let piece = physical[at];
            at += 1;
            if at - 1 > start && is_comment(piece) {
                continue;
            }
            if at - 1 > start && is_blank(piece) {
                empty_inside = true;
                continue;
            }
            let piece = if at - 1 == start { piece.trim_start() } else { piece };
            match continued(piece, directives.escape) {
                Some(piece) => joined.push_str(piece),
                None => {
                    joined.push_str(piece);
                    break;
                }
            }
        }
        let joined = joined.trim().to_owned();
        if joined.is_empty() {
            continue;
        }
        if empty_inside {
            warnings.push(format!("[WARNING]: Empty continuation line found in:\n    {joined}"));
        }
        let mut heredocs = Vec::new();
        for mut document in heredoc::announced(&joined) {
            let body = &physical[at..];
            let taken = document.take(body).ok_or_else(|| Problem::UnterminatedHeredoc.at(start + 1))?;
            at += taken;
            heredocs.push(document);
        }
        lines.push(Line { number: start + 1, text: joined, heredocs });
    }
    if !warnings.is_empty() {
        warnings.push("[WARNING]: Empty continuation lines will become errors in a future release.".into());
    }
    Ok((lines, warnings))
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty()
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The line without its continuation mark; `None` when it ends here. Blanks may follow the mark,
/// and a doubled mark is none.
fn continued(line: &str, escape: char) -> Option<&str> {
    let before = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    (!before.ends_with(escape)).then_some(before)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(usize, String)> {
        let (lines, _) = split(text, &Directives::default()).unwrap();
        lines.into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn continued_lines_are_joined_and_comments_inside_are_left_out() {
        let text = "FROM a\n\n# note\nRUN one && \\\n  # why\n  two \\  \n three\nCMD x\n";
        let expected = [(1, "FROM a"), (4, "RUN one &&   two  three"), (8, "CMD x")];
        assert_eq!(texts(text), expected.map(|(line, text)| (line, text.to_owned())));
    }

    #[test]
    fn an_empty_line_inside_is_warned_of() {
        let (lines, warnings) = split("RUN a \\\n\n  b\n", &Directives::default()).unwrap();
        assert_eq!(lines[0].text, "RUN a   b");
        assert!(warnings[0].contains("Empty continuation line found in"));
    }

    #[test]
    fn the_other_escape_leaves_backslashes_alone() {
        let directives = Directives { escape: '`', ..Directives::default() };
        let (lines, _) = split("COPY a `\n c:\\\nRUN x\n", &directives).unwrap();
        assert_eq!(lines[0].text, "COPY a  c:\\");
        assert_eq!(lines[1].text, "RUN x");
    }

    #[test]
    fn a_here_document_belongs_to_its_line() {
        let (lines, _) = split("RUN <<EOF\necho a # kept\n\nEOF\nCMD b\n", &Directives::default()).unwrap();
        assert_eq!(lines[0].heredocs[0].body, "echo a # kept\n\n");
        assert_eq!(lines[1].number, 5);
        let open = split("RUN <<EOF\necho\n", &Directives::default()).unwrap_err();
        assert_eq!(open.problem, Problem::UnterminatedHeredoc);
    }
}
