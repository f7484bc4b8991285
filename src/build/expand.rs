//! Variables put into words, as a shell would: `$name`, `${name:-word}`, quotes, escapes.
//!
//! Source: "Environment replacement" in the Dockerfile reference; BuildKit's
//! `frontend/dockerfile/shell`.

use super::pattern;
use std::iter::Peekable;
use std::str::Chars;

/// Why a word cannot be expanded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `"abc`.
    #[error("unexpected end of statement while looking for matching {0}-quote")]
    Quote(&'static str),
    /// `${abc`.
    #[error("syntax error: missing '}}'")]
    Brace,
    /// `${}`.
    #[error("syntax error: bad substitution")]
    Bad,
    /// `${a^b}`.
    #[error("unsupported modifier ({0}) in substitution")]
    Modifier(String),
    /// `${a:?why}` without a value.
    #[error("{name}: {reason}")]
    Required {
        /// The variable.
        name: String,
        /// The word's text.
        reason: String,
    },
}

/// Puts variables into words.
pub struct Expander<'a> {
    /// `\` or `` ` ``.
    pub escape: char,
    /// A variable's value.
    pub lookup: &'a dyn Fn(&str) -> Option<String>,
}

/// One word on its way, with what came out so far.
struct Walk<'a> {
    rest: Peekable<Chars<'a>>,
    words: Vec<String>,
    word: String,
    /// Whether the word counts although it is empty: `""`.
    quoted: bool,
}

impl Expander<'_> {
    /// Expands `text` to one word: blanks stay.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn word(&self, text: &str) -> Result<String, Error> {
        let mut walk = Walk::new(text);
        self.until(&mut walk, None, false)?;
        Ok(walk.word)
    }

    /// Expands `text` to the words that unquoted blanks part, those in values included.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn words(&self, text: &str) -> Result<Vec<String>, Error> {
        let mut walk = Walk::new(text);
        self.until(&mut walk, None, true)?;
        walk.end_word();
        Ok(walk.words)
    }

    /// Walks to the end, or to an unquoted `stop`, which is taken.
    fn until(&self, walk: &mut Walk<'_>, stop: Option<char>, split: bool) -> Result<(), Error> {
        while let Some(c) = walk.rest.next() {
            match c {
                c if Some(c) == stop => return Ok(()),
                '\'' => self.single_quoted(walk)?,
                '"' => self.double_quoted(walk)?,
                '$' => {
                    let value = self.dollar(walk)?;
                    walk.push(&value, split);
                }
                // An escape at the very end stands for itself.
                c if c == self.escape => walk.word.push(walk.rest.next().unwrap_or(c)),
                c if split && c.is_whitespace() => walk.end_word(),
                c => walk.word.push(c),
            }
        }
        if stop.is_some() { Err(Error::Brace) } else { Ok(()) }
    }

    fn single_quoted(&self, walk: &mut Walk<'_>) -> Result<(), Error> {
        walk.quoted = true;
        for c in walk.rest.by_ref() {
            match c {
                '\'' => return Ok(()),
                c => walk.word.push(c),
            }
        }
        Err(Error::Quote("single"))
    }

    fn double_quoted(&self, walk: &mut Walk<'_>) -> Result<(), Error> {
        walk.quoted = true;
        while let Some(c) = walk.rest.next() {
            match c {
                '"' => return Ok(()),
                '$' => {
                    let value = self.dollar(walk)?;
                    walk.word.push_str(&value);
                }
                c if c == self.escape => match walk.rest.peek() {
                    Some(next) if *next == '"' || *next == '$' || *next == self.escape => {
                        walk.word.extend(walk.rest.next());
                    }
                    _ => walk.word.push(c),
                },
                c => walk.word.push(c),
            }
        }
        Err(Error::Quote("double"))
    }

    /// What stands behind a dollar sign; a dollar that begins nothing is one.
    fn dollar(&self, walk: &mut Walk<'_>) -> Result<String, Error> {
        match walk.rest.peek() {
            Some('{') => {
                walk.rest.next();
                self.braced(walk)
            }
            Some(c) if begins_name(*c) || c.is_ascii_digit() || is_special(*c) => {
                let name = walk.name();
                Ok((self.lookup)(&name).unwrap_or_default())
            }
            _ => Ok("$".into()),
        }
    }

    fn braced(&self, walk: &mut Walk<'_>) -> Result<String, Error> {
        let name = walk.name();
        if name.is_empty() {
            return Err(if walk.rest.peek().is_none() { Error::Brace } else { Error::Bad });
        }
        let value = (self.lookup)(&name);
        let Some(modifier) = walk.rest.next() else { return Err(Error::Brace) };
        match modifier {
            '}' => Ok(value.unwrap_or_default()),
            // With a colon an empty value counts as none.
            ':' => match walk.rest.next() {
                Some(modifier @ ('-' | '+' | '?')) => {
                    self.conditional(walk, &name, value.filter(|value| !value.is_empty()), modifier)
                }
                Some(other) => Err(Error::Modifier(format!(":{other}"))),
                None => Err(Error::Brace),
            },
            '-' | '+' | '?' => self.conditional(walk, &name, value, modifier),
            '#' | '%' => {
                let longest = walk.rest.next_if_eq(&modifier).is_some();
                let cut = self.argument(walk)?;
                Ok(trim(&value.unwrap_or_default(), &cut, modifier == '#', longest))
            }
            '/' => {
                let all = walk.rest.next_if_eq(&'/').is_some();
                let (wanted, new) = self.replacement(walk)?;
                Ok(replace(&value.unwrap_or_default(), &wanted, &new, all))
            }
            other => Err(Error::Modifier(other.to_string())),
        }
    }

    fn conditional(
        &self,
        walk: &mut Walk<'_>,
        name: &str,
        value: Option<String>,
        modifier: char,
    ) -> Result<String, Error> {
        let word = self.argument(walk)?;
        match (modifier, value) {
            ('+', Some(_)) => Ok(word),
            ('+', None) => Ok(String::new()),
            (_, Some(value)) => Ok(value),
            ('-', None) => Ok(word),
            (_, None) => {
                let reason = if word.is_empty() { "is not allowed to be unset".into() } else { word };
                Err(Error::Required { name: name.to_owned(), reason })
            }
        }
    }

    /// The word of a modifier, up to the brace, expanded itself.
    fn argument(&self, walk: &mut Walk<'_>) -> Result<String, Error> {
        self.nested(walk, '}')
    }

    fn nested(&self, walk: &mut Walk<'_>, stop: char) -> Result<String, Error> {
        let outer = std::mem::take(&mut walk.word);
        let quoted = walk.quoted;
        self.until(walk, Some(stop), false)?;
        walk.quoted = quoted;
        Ok(std::mem::replace(&mut walk.word, outer))
    }

    /// `pattern/replacement}`.
    fn replacement(&self, walk: &mut Walk<'_>) -> Result<(String, String), Error> {
        let wanted = self.nested(walk, '/')?;
        Ok((wanted, self.nested(walk, '}')?))
    }
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Walk<'a> {
        Walk { rest: text.chars().peekable(), words: Vec::new(), word: String::new(), quoted: false }
    }

    /// A variable's name: letters, digits and `_`; or one digit or special sign.
    fn name(&mut self) -> String {
        match self.rest.peek() {
            Some(c) if begins_name(*c) => {
                let mut name = String::new();
                while let Some(c) = self.rest.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                name
            }
            Some(c) if c.is_ascii_digit() || is_special(*c) => self.rest.next().into_iter().collect(),
            _ => String::new(),
        }
    }

    fn push(&mut self, value: &str, split: bool) {
        if !split {
            self.word.push_str(value);
            return;
        }
        for c in value.chars() {
            if c.is_whitespace() {
                self.end_word();
            } else {
                self.word.push(c);
            }
        }
    }

    fn end_word(&mut self) {
        if !self.word.is_empty() || self.quoted {
            self.words.push(std::mem::take(&mut self.word));
        }
        self.quoted = false;
    }
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_'
}

/// The shell's own variables; a Dockerfile has none of them, so they are empty.
fn is_special(c: char) -> bool {
    "@*#?-$!".contains(c)
}

/// `${value#cut}` and its kin.
fn trim(value: &str, cut: &str, front: bool, longest: bool) -> String {
    let ends: Vec<usize> = value.char_indices().map(|(at, _)| at).chain([value.len()]).collect();
    let fits = |at: &usize| {
        let part = if front { &value[..*at] } else { &value[*at..] };
        pattern::shell(cut, part)
    };
    // The shortest beginning is the first place, the shortest end the last.
    let place = if front != longest {
        ends.iter().copied().find(fits)
    } else {
        ends.iter().rev().copied().find(fits)
    };
    match place {
        None => value.to_owned(),
        Some(at) if front => value[at..].to_owned(),
        Some(at) => value[..at].to_owned(),
    }
}

/// `${value/wanted/new}`: the longest match at the first place, or at every place.
fn replace(value: &str, wanted: &str, new: &str, all: bool) -> String {
    let (mut out, mut rest, mut replaced) = (String::new(), value, false);
    while !rest.is_empty() {
        let ends = rest.char_indices().map(|(at, _)| at).skip(1).chain([rest.len()]);
        let longest = ends.filter(|end| pattern::shell(wanted, &rest[..*end])).last();
        match longest.filter(|_| all || !replaced) {
            Some(end) => {
                out.push_str(new);
                rest = &rest[end..];
                replaced = true;
            }
            None => {
                let next = rest.chars().next().map_or(0, char::len_utf8);
                out.push_str(&rest[..next]);
                rest = &rest[next..];
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Option<String> {
        match name {
            "a" => Some("one".into()),
            "two" => Some("x y".into()),
            "empty" => Some(String::new()),
            "path" => Some("/usr/local/bin".into()),
            _ => None,
        }
    }

    fn expander() -> Expander<'static> {
        Expander { escape: '\\', lookup: &value }
    }

    #[test]
    fn variables_quotes_and_escapes_are_the_shells() {
        let cases = [
            ("$a", "one"),
            ("${a}b", "oneb"),
            ("$ab", ""),
            ("'$a'", "$a"),
            ("\"$a\"", "one"),
            ("\\$a", "$a"),
            ("\"\\$a \\x\"", "$a \\x"),
            ("$", "$"),
            ("a$", "a$"),
            ("${nope:-$a}", "one"),
            ("${empty:-d}", "d"),
            ("${empty-d}", ""),
            ("${a:+set}", "set"),
            ("${nope:+set}", ""),
            ("${empty+set}", "set"),
            ("${nope:-\"q q\"}", "q q"),
        ];
        for (text, expected) in cases {
            assert_eq!(expander().word(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn patterns_cut_and_replace() {
        let cases = [
            ("${path#*/}", "usr/local/bin"),
            ("${path##*/}", "bin"),
            ("${path%/*}", "/usr/local"),
            ("${path%%/*}", ""),
            ("${path/usr/opt}", "/opt/local/bin"),
            ("${path//\\//-}", "-usr-local-bin"),
            ("${path#nope}", "/usr/local/bin"),
        ];
        for (text, expected) in cases {
            assert_eq!(expander().word(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn values_are_parted_where_words_are_wanted() {
        assert_eq!(expander().words("$two \"$two\" z").unwrap(), ["x", "y", "x y", "z"]);
        assert_eq!(expander().words("\"\" a").unwrap(), ["", "a"]);
    }

    #[test]
    fn what_cannot_be_expanded_is_refused() {
        let error = |text: &str| expander().word(text).unwrap_err();
        assert_eq!(error("${a"), Error::Brace);
        assert_eq!(error("${}"), Error::Bad);
        assert_eq!(error("${a^x}"), Error::Modifier("^".into()));
        assert_eq!(error("'a"), Error::Quote("single"));
        assert_eq!(error("${nope:?must be}").to_string(), "nope: must be");
    }
}
