//! Values as text: Go's `%v`, `%q` and `%s`, and its Print family.

use super::value::Value;

/// `%v`.
pub fn plain(value: &Value) -> String {
    match value {
        Value::Missing | Value::Nil => "<nil>".to_owned(),
        Value::NoList => "[]".to_owned(),
        Value::NoMap => "map[]".to_owned(),
        Value::Bool(value) => value.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Byte(number) => number.to_string(),
        Value::Float(number) => shortest(*number),
        Value::Text(text) | Value::Number(text) => text.to_string(),
        Value::List(list) => format!("[{}]", list.iter().map(plain).collect::<Vec<_>>().join(" ")),
        Value::Map(map) => {
            let entries: Vec<String> =
                map.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
            format!("map[{}]", entries.join(" "))
        }
        Value::Struct(fields) => {
            format!("{{{}}}", fields.iter().map(|(_, value)| plain(value)).collect::<Vec<_>>().join(" "))
        }
        Value::Object(object) => object.shown(),
    }
}

/// Go's Sprint: a space between two values neither of which is a text.
pub fn joined(values: &[Value]) -> String {
    let mut out = String::new();
    for (place, value) in values.iter().enumerate() {
        let is_text = |value: &Value| matches!(value, Value::Text(_) | Value::Number(_));
        if place > 0 && !is_text(value) && !is_text(&values[place - 1]) {
            out.push(' ');
        }
        out.push_str(&plain(value));
    }
    out
}

/// Go's Sprintln.
pub fn line(values: &[Value]) -> String {
    values.iter().map(plain).collect::<Vec<_>>().join(" ") + "\n"
}

/// The fewest digits that name the number; an exponent below -4 and from 6 on, as `%g`.
pub fn shortest(number: f64) -> String {
    with_exponent_from(6, number)
}

/// The same with an exponent only where the plain number has more digits than `most`.
pub fn with_exponent_from(most: i32, number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    let scientific = format!("{number:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    match exponent.parse::<i32>().unwrap_or(0) {
        exponent if number != 0.0 && !(-4..most).contains(&exponent) => {
            format!("{mantissa}{}", self::exponent(exponent))
        }
        _ => number.to_string(),
    }
}

/// `e+06`
pub fn exponent(exponent: i32) -> String {
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("e{sign}{:02}", exponent.unsigned_abs())
}

/// In double quotes, as Go's `%q`.
pub fn quote(text: &str) -> String {
    let mut out = String::from('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            other => escape(other, &mut out),
        }
    }
    out.push('"');
    out
}

/// In single quotes, as `%q` of a number.
pub fn quote_char(char: char) -> String {
    let mut out = String::from('\'');
    match char {
        '\'' => out.push_str("\\'"),
        other => escape(other, &mut out),
    }
    out.push('\'');
    out
}

fn escape(char: char, out: &mut String) {
    match char {
        '\\' => out.push_str("\\\\"),
        '\x07' => out.push_str("\\a"),
        '\x08' => out.push_str("\\b"),
        '\x0c' => out.push_str("\\f"),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        '\x0b' => out.push_str("\\v"),
        control if control.is_ascii_control() => out.push_str(&format!("\\x{:02x}", u32::from(control))),
        control if control.is_control() || (control.is_whitespace() && control != ' ') => {
            out.push_str(&format!("\\u{:04x}", u32::from(control)));
        }
        other => out.push(other),
    }
}
