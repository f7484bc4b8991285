//! Placeholders: `{name}`, `{name:을/를}` with the Korean particle that fits the value, `{{` for
//! a brace.

use super::particle;

/// A placeholder that nothing answers.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value for placeholder {{{0}}}")]
pub struct Missing(pub String);

/// One piece of a template.
enum Piece<'a> {
    Literal(&'a str),
    Value { name: &'a str, particle: Option<&'a str> },
}

/// Fills `template`; `value` answers a placeholder's name.
///
/// # Errors
/// The name nobody answers.
pub fn fill(template: &str, mut value: impl FnMut(&str) -> Option<String>) -> Result<String, Missing> {
    let mut filled = String::with_capacity(template.len() + 32);
    for piece in pieces(template) {
        match piece {
            Piece::Literal(text) => filled.push_str(text),
            Piece::Value { name, particle } => {
                let value = value(name).ok_or_else(|| Missing(name.to_owned()))?;
                filled.push_str(&value);
                if let Some(pair) = particle {
                    filled.push_str(particle::choose(&value, pair));
                }
            }
        }
    }
    Ok(filled)
}

/// The names of a template's placeholders, in order of appearance, each once.
pub fn placeholders(template: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for piece in pieces(template) {
        if let Piece::Value { name, .. } = piece
            && !names.contains(&name)
        {
            names.push(name);
        }
    }
    names
}

/// Cuts a template. A brace that opens no well-formed placeholder is literal text, as in a shell
/// line.
fn pieces(template: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = template;
    while let Some(at) = rest.find(['{', '}']) {
        pieces.push(Piece::Literal(&rest[..at]));
        let tail = &rest[at..];
        if tail.starts_with("{{") || tail.starts_with("}}") {
            pieces.push(Piece::Literal(&tail[..1]));
            rest = &tail[2..];
        } else if let Some((piece, length)) = placeholder(tail) {
            pieces.push(piece);
            rest = &tail[length..];
        } else {
            pieces.push(Piece::Literal(&tail[..1]));
            rest = &tail[1..];
        }
    }
    pieces.push(Piece::Literal(rest));
    pieces
}

/// The placeholder at the head of `text`, and its length in bytes.
fn placeholder(text: &str) -> Option<(Piece<'_>, usize)> {
    let end = text.find('}')?;
    let inside = text.get(1..end)?;
    let (name, particle) = match inside.split_once(':') {
        Some((name, particle)) => (name, Some(particle)),
        None => (inside, None),
    };
    let named = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    let fits = particle.is_none_or(particle::is_pair);
    (named && fits).then_some((Piece::Value { name, particle }, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(template: &str, value: &str) -> String {
        fill(template, |_| Some(value.to_owned())).unwrap()
    }

    #[test]
    fn the_particle_follows_the_value() {
        assert_eq!(say("{x:을/를} 엽니다", "파일"), "파일을 엽니다");
        assert_eq!(say("{x:을/를} 엽니다", "이미지"), "이미지를 엽니다");
        assert_eq!(say("{x:(으)로}", "4711"), "4711로");
        assert_eq!(say("{x:(으)로}", "커널"), "커널로");
        assert_eq!(say("{x:(으)로}", "alpine"), "alpine으로");
    }

    #[test]
    fn a_missing_value_is_named() {
        assert_eq!(fill("pid {pid}", |_| None), Err(Missing("pid".into())));
    }

    #[test]
    fn braces_that_are_no_placeholder_stay() {
        assert_eq!(say("{{x}} ${} {a b} {x}", "1"), "{x} ${} {a b} 1");
        assert_eq!(placeholders("{a} {b:이/가} {a}"), ["a", "b"]);
    }
}
