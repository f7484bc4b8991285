//! The `json` function: Go's encoder, with and without its caution about HTML.

use super::value::Value;

/// One line. Lines of a list escape `<`, `>` and `&`, as their own encoder in Docker's client does.
pub fn encode(value: &Value) -> String {
    let mut out = String::new();
    write(value, false, &mut out);
    out
}

fn write(value: &Value, html: bool, out: &mut String) {
    match value {
        Value::Missing | Value::Nil | Value::NoList | Value::NoMap => out.push_str("null"),
        Value::Bool(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&number.to_string()),
        Value::Byte(number) => out.push_str(&number.to_string()),
        Value::Float(number) => out.push_str(&super::print::with_exponent_from(21, *number)),
        Value::Number(digits) => out.push_str(digits),
        Value::Text(text) => string(text, html, out),
        Value::List(list) => {
            out.push('[');
            for (place, item) in list.iter().enumerate() {
                separate(place, out);
                write(item, html, out);
            }
            out.push(']');
        }
        Value::Map(map) => entries(map.iter(), html, out),
        Value::Struct(fields) => entries(fields.iter().map(|(key, value)| (key, value)), html, out),
        Value::Object(object) => {
            let mut fields = object.fields();
            if object.has_encoder() {
                fields.sort_by(|(one, _), (other, _)| one.cmp(other));
            }
            entries(fields.iter().map(|(key, value)| (key, value)), html || object.has_encoder(), out);
        }
    }
}

fn entries<'a>(fields: impl Iterator<Item = (&'a String, &'a Value)>, html: bool, out: &mut String) {
    out.push('{');
    for (place, (key, value)) in fields.enumerate() {
        separate(place, out);
        string(key, html, out);
        out.push(':');
        write(value, html, out);
    }
    out.push('}');
}

fn separate(place: usize, out: &mut String) {
    if place > 0 {
        out.push(',');
    }
}

fn string(text: &str, html: bool, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\x08' => out.push_str("\\b"),
            '\x0c' => out.push_str("\\f"),
            '<' | '>' | '&' if html => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            control if u32::from(control) < 0x20 => out.push_str(&format!("\\u{:04x}", u32::from(control))),
            '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", u32::from(char))),
            other => out.push(other),
        }
    }
    out.push('"');
}
