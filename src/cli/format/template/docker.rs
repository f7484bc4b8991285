//! The functions Docker's client adds to Go's.

use super::function::Called;
use super::value::Value;

/// The text of an argument whose type was checked.
pub fn word(value: &Value) -> &str {
    match value {
        Value::Text(text) | Value::Number(text) => text,
        _ => "",
    }
}

fn number(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        _ => 0,
    }
}

/// Go's strings.Split: with an empty separator, character by character.
pub fn split(arguments: &[Value]) -> Called {
    let (text, separator) = (word(&arguments[0]), word(&arguments[1]));
    Ok(match separator {
        "" => Value::texts(text.chars().map(String::from)),
        separator => Value::texts(text.split(separator)),
    })
}

/// Go's strings.Join.
pub fn join(arguments: &[Value]) -> Called {
    let words: Vec<&str> = match &arguments[0] {
        Value::List(list) => list.iter().map(word).collect(),
        _ => Vec::new(),
    };
    Ok(words.join(word(&arguments[1])).into())
}

/// Go's strings.Title: a capital at the start of each word.
pub fn title(text: &str) -> String {
    let mut before = ' ';
    let mut out = String::new();
    for char in text.chars() {
        let inside = before.is_alphanumeric() || before == '_';
        match inside {
            true => out.push(char),
            false => out.extend(char.to_uppercase()),
        }
        before = char;
    }
    out
}

/// Spaces before and behind a text that is not empty.
pub fn pad(arguments: &[Value]) -> Called {
    let text = word(&arguments[0]);
    if text.is_empty() {
        return Ok(arguments[0].clone());
    }
    let spaces = |value: &Value| match usize::try_from(number(value)) {
        Ok(count) => Ok(" ".repeat(count)),
        Err(_) => Err("strings: negative Repeat count".to_owned()),
    };
    Ok(format!("{}{text}{}", spaces(&arguments[1])?, spaces(&arguments[2])?).into())
}

/// At most so many bytes.
pub fn truncate(arguments: &[Value]) -> Called {
    let (text, length) = (word(&arguments[0]), number(&arguments[1]));
    let Ok(length) = usize::try_from(length) else {
        return Err(format!("runtime error: slice bounds out of range [:{length}]"));
    };
    match text.len() < length {
        true => Ok(arguments[0].clone()),
        false => Ok(String::from_utf8_lossy(&text.as_bytes()[..length]).into_owned().into()),
    }
}
