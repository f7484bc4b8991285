//! `WWW-Authenticate`: what a registry wants before it answers. RFC 9110, section 11.6.1.

/// One challenge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge {
    /// In lower case: `bearer`, `basic`.
    pub scheme: String,
    parameters: Vec<(String, String)>,
}

impl Challenge {
    /// A parameter's value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Reads all challenges of one header line, separated by commas as their parameters are.
    pub fn parse(header: &str) -> Vec<Challenge> {
        let mut challenges: Vec<Challenge> = Vec::new();
        let mut rest = header.trim_start_matches([' ', ',']);
        while !rest.is_empty() {
            let end = rest.find([' ', '=', ',']).unwrap_or(rest.len());
            let (word, after) = rest.split_at(end);
            let word = word.to_ascii_lowercase();
            match (after.strip_prefix('='), challenges.last_mut()) {
                (Some(after), Some(challenge)) => {
                    let (value, after) = read_value(after);
                    challenge.parameters.push((word, value));
                    rest = after;
                }
                // A parameter before any scheme belongs to nothing.
                (Some(after), None) => rest = read_value(after).1,
                (None, _) => {
                    challenges.push(Challenge { scheme: word, parameters: Vec::new() });
                    rest = after;
                }
            }
            rest = rest.trim_start_matches([' ', ',', '\t']);
        }
        challenges
    }
}

/// A token, or a quoted string with its backslashes resolved; and what follows it.
fn read_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut letters = quoted.char_indices();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '"' => return (value, &quoted[at + 1..]),
            '\\' => value.extend(letters.next().map(|(_, escaped)| escaped)),
            other => value.push(other),
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_may_hold_several_challenges() {
        let line =
            r#"Bearer realm="https://auth.example/token",service="a, \"b\"",scope=x:y:pull, Basic realm="r""#;
        let challenges = Challenge::parse(line);
        assert_eq!(challenges.len(), 2);
        assert_eq!(challenges[0].scheme, "bearer");
        assert_eq!(challenges[0].get("realm"), Some("https://auth.example/token"));
        assert_eq!(challenges[0].get("service"), Some("a, \"b\""));
        assert_eq!(challenges[0].get("scope"), Some("x:y:pull"));
        assert_eq!(challenges[1].scheme, "basic");
        assert_eq!(challenges[1].get("realm"), Some("r"));
    }

    #[test]
    fn nonsense_ends() {
        assert!(Challenge::parse("").is_empty());
        assert_eq!(Challenge::parse("=\"").len(), 0);
        assert_eq!(Challenge::parse("Bearer realm=\"open").len(), 1);
    }
}
