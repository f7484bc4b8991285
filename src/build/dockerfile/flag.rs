//! `--name=value` between an instruction and its words.

use super::error::Problem;

/// The options of one instruction.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags(Vec<(String, Option<String>)>);

impl Flags {
    /// Takes the options from the beginning of `rest`; returns what is left.
    pub fn split(rest: &str) -> (Flags, &str) {
        let mut flags = Vec::new();
        let mut rest = rest.trim_start();
        while let Some(after) = rest.strip_prefix("--") {
            let end = end_of_word(after);
            let (word, left) = after.split_at(end);
            if word.is_empty() {
                rest = left.trim_start();
                break;
            }
            let flag = match word.split_once('=') {
                Some((name, value)) => (name.to_owned(), Some(unquoted(value))),
                None => (word.to_owned(), None),
            };
            flags.push(flag);
            rest = left.trim_start();
        }
        (Flags(flags), rest)
    }

    /// Refuses what is not in `known`, and what is there twice though not in `repeatable`.
    ///
    /// # Errors
    /// [`Problem::UnknownFlag`], [`Problem::DuplicateFlag`].
    pub fn only(&self, known: &[&str], repeatable: &[&str]) -> Result<(), Problem> {
        for (index, (name, _)) in self.0.iter().enumerate() {
            if repeatable.contains(&name.as_str()) {
                continue;
            }
            if !known.contains(&name.as_str()) {
                return Err(Problem::UnknownFlag(format!("--{name}")));
            }
            if self.0[..index].iter().any(|(earlier, _)| earlier == name) {
                return Err(Problem::DuplicateFlag(format!("--{name}")));
            }
        }
        Ok(())
    }

    /// The value of an option that needs one.
    ///
    /// # Errors
    /// [`Problem::MissingValue`].
    pub fn value(&self, name: &str) -> Result<Option<String>, Problem> {
        match self.0.iter().find(|(flag, _)| flag == name) {
            None => Ok(None),
            Some((_, Some(value))) => Ok(Some(value.clone())),
            Some((_, None)) => Err(Problem::MissingValue(format!("--{name}"))),
        }
    }

    /// Every value of an option that may be repeated.
    ///
    /// # Errors
    /// [`Problem::MissingValue`].
    pub fn values(&self, name: &str) -> Result<Vec<String>, Problem> {
        let given = self.0.iter().filter(|(flag, _)| flag == name);
        given
            .map(|(_, value)| value.clone().ok_or_else(|| Problem::MissingValue(format!("--{name}"))))
            .collect()
    }

    /// An option that is yes or no; without a value it is yes.
    ///
    /// # Errors
    /// [`Problem::NotBoolean`].
    pub fn is_set(&self, name: &str) -> Result<bool, Problem> {
        match self.0.iter().find(|(flag, _)| flag == name) {
            None => Ok(false),
            Some((_, None)) => Ok(true),
            Some((_, Some(value))) => match value.to_ascii_lowercase().as_str() {
                "true" => Ok(true),
                "false" => Ok(false),
                _ => Err(Problem::NotBoolean { flag: name.to_owned(), value: value.clone() }),
            },
        }
    }
}

/// Blanks inside quotes belong to the word.
fn end_of_word(text: &str) -> usize {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

fn unquoted(value: &str) -> String {
    let inside = |quote: char| value.strip_prefix(quote).and_then(|value| value.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(value).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_stand_before_the_words() {
        let (flags, rest) = Flags::split("--from=build --link --chown=\"a b\" /x --not");
        assert_eq!(rest, "/x --not");
        assert_eq!(flags.value("from").unwrap().as_deref(), Some("build"));
        assert_eq!(flags.value("chown").unwrap().as_deref(), Some("a b"));
        assert!(flags.is_set("link").unwrap());
    }

    #[test]
    fn an_option_is_known_and_given_once() {
        let (flags, _) = Flags::split("--a=1 --a=2 x");
        assert_eq!(flags.only(&["a"], &[]).unwrap_err(), Problem::DuplicateFlag("--a".into()));
        assert_eq!(flags.only(&["b"], &[]).unwrap_err(), Problem::UnknownFlag("--a".into()));
        assert!(flags.only(&[], &["a"]).is_ok());
        assert_eq!(flags.values("a").unwrap(), ["1", "2"]);
        let (flags, _) = Flags::split("--from x");
        assert_eq!(flags.value("from").unwrap_err(), Problem::MissingValue("--from".into()));
    }
}
