//! `name=value name2="value two"`, and the older `name value`.

use super::error::Problem;

/// Words parted by blanks outside quotes; quotes and escapes are kept, since variables are put in
/// later and that is where they lose their meaning.
pub fn words(text: &str, escape: char) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match quote {
            None if c.is_whitespace() => {
                words.push(std::mem::take(&mut word));
                continue;
            }
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            // In single quotes nothing escapes.
            _ if c == escape && quote != Some('\'') => {
                word.push(c);
                if let Some(next) = characters.next() {
                    word.push(next);
                }
                continue;
            }
            _ => {}
        }
        word.push(c);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// The pairs of `ENV` and `LABEL`. Without `=` in the first word the rest of the line is its
/// value, blanks included.
///
/// # Errors
/// No word, a word alone, a later word without `=`, a blank name.
pub fn parse(of: &'static str, text: &str, escape: char) -> Result<Vec<(String, String)>, Problem> {
    let words = words(text, escape);
    let Some(first) = words.first() else { return Err(Problem::AtLeastOne(of)) };
    if !first.contains('=') {
        let (name, value) = text.trim().split_once(char::is_whitespace).ok_or(Problem::TwoArguments(of))?;
        return Ok(vec![(name.to_owned(), value.trim_start().to_owned())]);
    }
    words
        .iter()
        .map(|word| match word.split_once('=') {
            Some(("", _)) => Err(Problem::BlankName(of)),
            Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
            None => Err(Problem::NoEquals(word.clone())),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        parse("ENV", text, '\\').unwrap()
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn pairs_keep_their_quotes_for_later() {
        let found = pairs(r#"a=1 b="two words" c=esc\ aped d='$x y'"#);
        let expected = [("a", "1"), ("b", "\"two words\""), ("c", "esc\\ aped"), ("d", "'$x y'")];
        assert_eq!(found, expected.map(|(name, value)| pair(name, value)));
    }

    #[test]
    fn the_older_form_takes_the_rest_of_the_line() {
        assert_eq!(pairs("name  a value = with blanks"), [pair("name", "a value = with blanks")]);
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        assert_eq!(parse("ENV", "name", '\\').unwrap_err(), Problem::TwoArguments("ENV"));
        assert_eq!(parse("ENV", "a=b c", '\\').unwrap_err(), Problem::NoEquals("c".into()));
        assert_eq!(parse("LABEL", "=x", '\\').unwrap_err(), Problem::BlankName("LABEL"));
        assert_eq!(parse("ENV", "", '\\').unwrap_err(), Problem::AtLeastOne("ENV"));
    }
}
