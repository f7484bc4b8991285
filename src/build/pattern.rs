//! Patterns: Go's `filepath.Match` for `COPY`, the shell's for variables, and `**` for
//! `.dockerignore`.

/// One piece of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// This character.
    Char(char),
    /// `?`: any character but the separator.
    One,
    /// `*`: any number of characters but the separator.
    Many,
    /// `**`: any number of characters.
    All,
    /// `[a-z]`, `[^a-z]`.
    Set { ranges: Vec<(char, char)>, negated: bool },
}

/// A pattern that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    pieces: Vec<Piece>,
    separator: Option<char>,
}

/// The pattern has an open bracket, or ends in an escape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error in pattern")]
pub struct Malformed;

impl Pattern {
    /// For paths: no `*` crosses a slash; `**` does where `crossing` is set.
    ///
    /// # Errors
    /// [`Malformed`].
    pub fn path(text: &str, crossing: bool) -> Result<Pattern, Malformed> {
        Ok(Pattern { pieces: read(text, crossing)?, separator: Some('/') })
    }

    /// Whether all of `text` fits.
    pub fn matches(&self, text: &str) -> bool {
        let text: Vec<char> = text.chars().collect();
        fits(&self.pieces, &text, self.separator)
    }
}

/// Whether `text` fits a shell pattern: `*` stands for anything. A malformed one fits itself only.
pub fn shell(pattern: &str, text: &str) -> bool {
    match read(pattern, false) {
        Ok(pieces) => Pattern { pieces, separator: None }.matches(text),
        Err(Malformed) => pattern == text,
    }
}

/// Whether a path has anything of a pattern in it.
pub fn is_pattern(path: &str) -> bool {
    path.contains(['*', '?', '['])
}

fn read(text: &str, crossing: bool) -> Result<Vec<Piece>, Malformed> {
    let mut pieces = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        pieces.push(match c {
            '*' if crossing && rest.next_if_eq(&'*').is_some() => {
                // `**/` also stands for no directory at all.
                if rest.next_if_eq(&'/').is_some() {
                    pieces.push(Piece::All);
                    continue;
                }
                Piece::All
            }
            '*' => Piece::Many,
            '?' => Piece::One,
            '[' => set(&mut rest)?,
            '\\' => Piece::Char(rest.next().ok_or(Malformed)?),
            c => Piece::Char(c),
        });
    }
    Ok(pieces)
}

fn set(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Piece, Malformed> {
    let negated = rest.next_if(|c| *c == '^').is_some();
    let mut ranges = Vec::new();
    loop {
        let low = match rest.next().ok_or(Malformed)? {
            ']' if !ranges.is_empty() => return Ok(Piece::Set { ranges, negated }),
            ']' | '-' => return Err(Malformed),
            '\\' => rest.next().ok_or(Malformed)?,
            c => c,
        };
        let high = match rest.next_if_eq(&'-') {
            None => low,
            Some(_) => match rest.next().ok_or(Malformed)? {
                ']' | '-' => return Err(Malformed),
                '\\' => rest.next().ok_or(Malformed)?,
                c => c,
            },
        };
        ranges.push((low, high));
    }
}

/// Greedy with one way back: to the last star, which takes one character more.
fn fits(pieces: &[Piece], text: &[char], separator: Option<char>) -> bool {
    let (mut piece, mut at) = (0, 0);
    let mut back: Vec<(usize, usize)> = Vec::new();
    loop {
        let step = match pieces.get(piece) {
            Some(Piece::Many | Piece::All) => {
                back.push((piece, at));
                piece += 1;
                continue;
            }
            Some(one) => text.get(at).is_some_and(|c| fits_one(one, *c, separator)),
            None if at == text.len() => return true,
            None => false,
        };
        if step {
            piece += 1;
            at += 1;
            continue;
        }
        // Later stars first; one that cannot grow is given up.
        loop {
            let Some((star, from)) = back.pop() else { return false };
            let grows = text.get(from).is_some_and(|c| pieces[star] == Piece::All || Some(*c) != separator);
            if grows {
                back.push((star, from + 1));
                (piece, at) = (star + 1, from + 1);
                break;
            }
        }
    }
}

fn fits_one(piece: &Piece, c: char, separator: Option<char>) -> bool {
    match piece {
        Piece::Char(wanted) => *wanted == c,
        Piece::One => Some(c) != separator,
        Piece::Set { ranges, negated } => {
            Some(c) != separator && ranges.iter().any(|(low, high)| (*low..=*high).contains(&c)) != *negated
        }
        Piece::Many | Piece::All => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stops_at_a_slash_and_two_do_not() {
        let plain = |pattern: &str, text: &str| Pattern::path(pattern, false).unwrap().matches(text);
        assert!(plain("*.rs", "main.rs"));
        assert!(!plain("*.rs", "src/main.rs"));
        assert!(plain("s?c/[a-m]*.rs", "src/main.rs"));
        assert!(plain("[^a]b", "cb"));
        assert!(plain("\\*", "*"));
        let crossing = |pattern: &str, text: &str| Pattern::path(pattern, true).unwrap().matches(text);
        assert!(crossing("**/x", "a/b/x"));
        assert!(crossing("**/x", "x"));
        assert!(crossing("a/**", "a/b/c"));
        assert!(!crossing("a/*", "a/b/c"));
    }

    #[test]
    fn malformed_patterns_are_refused() {
        for pattern in ["[", "[]", "[a", "a\\", "[-a]"] {
            assert_eq!(Pattern::path(pattern, false), Err(Malformed), "{pattern}");
        }
    }

    #[test]
    fn many_stars_end_in_time() {
        let pattern = "a*".repeat(12) + "b";
        assert!(!Pattern::path(&pattern, false).unwrap().matches(&"a".repeat(24)));
    }
}
