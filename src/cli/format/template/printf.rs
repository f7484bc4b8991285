//! `printf`: the verbs of Go's fmt package that make sense for a template's values.

use super::print::{exponent, plain, quote, quote_char, shortest};
use super::value::Value;

/// What stands between `%` and the verb.
#[derive(Clone, Copy, Debug, Default)]
struct Spec {
    sharp: bool,
    zero: bool,
    plus: bool,
    minus: bool,
    space: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

/// Go's Sprintf; what does not fit is said in the text, as Go does.
pub fn printf(format: &str, values: &[Value]) -> String {
    let mut out = String::new();
    let mut chars = format.chars().peekable();
    let mut values = values.iter();
    while let Some(char) = chars.next() {
        if char != '%' {
            out.push(char);
            continue;
        }
        let spec = spec(&mut chars, &mut values, &mut out);
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) => match values.next() {
                None => out.push_str(&format!("%!{verb}(MISSING)")),
                Some(value) => out.push_str(&verb_of(verb, spec, value)),
            },
        }
    }
    let extra: Vec<String> = values
        .map(|value| match value {
            Value::Nil | Value::Missing => "<nil>".to_owned(),
            value => format!("{}={}", value.type_name(), plain(value)),
        })
        .collect();
    if !extra.is_empty() {
        out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
    }
    out
}

fn spec<'a>(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    values: &mut impl Iterator<Item = &'a Value>,
    out: &mut String,
) -> Spec {
    let mut spec = Spec::default();
    while let Some(flag) = chars.next_if(|char| "#0+- ".contains(*char)) {
        match flag {
            '#' => spec.sharp = true,
            '0' => spec.zero = !spec.minus,
            '+' => spec.plus = true,
            '-' => (spec.minus, spec.zero) = (true, false),
            _ => spec.space = true,
        }
    }
    let mut number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, bad: &str| {
        if chars.next_if_eq(&'*').is_some() {
            return match values.next() {
                Some(Value::Int(value)) => Some(*value),
                _ => {
                    out.push_str(bad);
                    None
                }
            };
        }
        let mut digits = None;
        while let Some(digit) = chars.peek().and_then(|char| char.to_digit(10)) {
            chars.next();
            digits = Some((digits.unwrap_or(0) * 10 + i64::from(digit)).min(1_000_000));
        }
        digits
    };
    if let Some(width) = number(chars, "%!(BADWIDTH)") {
        spec.minus |= width < 0;
        spec.zero &= !spec.minus;
        spec.width = usize::try_from(width.unsigned_abs()).ok();
    }
    if chars.next_if_eq(&'.').is_some() {
        spec.precision = Some(usize::try_from(number(chars, "%!(BADPREC)").unwrap_or(0)).unwrap_or(0));
    }
    spec
}

fn verb_of(verb: char, spec: Spec, value: &Value) -> String {
    match verb {
        'T' => return pad(spec, value_type(value), false),
        'v' if spec.sharp => return pad(spec, source(value), false),
        _ => {}
    }
    match value {
        Value::List(list) if verb != 'p' => {
            let items: Vec<String> = list.iter().map(|item| verb_of(verb, spec, item)).collect();
            format!("[{}]", items.join(" "))
        }
        Value::Map(map) if verb != 'p' => {
            let key = |key: &str| verb_of(verb, spec, &Value::text(key));
            let items: Vec<String> = map
                .iter()
                .map(|(name, item)| format!("{}:{}", key(name), verb_of(verb, spec, item)))
                .collect();
            format!("map[{}]", items.join(" "))
        }
        Value::Struct(fields) if verb != 'p' => {
            let items: Vec<String> = fields.iter().map(|(_, item)| verb_of(verb, spec, item)).collect();
            format!("{{{}}}", items.join(" "))
        }
        Value::Text(text) | Value::Number(text) => text_verb(verb, spec, text, value),
        Value::Int(number) => int_verb(verb, spec, *number, value),
        Value::Byte(number) => int_verb(verb, spec, i64::from(*number), value),
        Value::Float(number) => float_verb(verb, spec, *number, value),
        Value::Bool(truth) if matches!(verb, 't' | 'v') => pad(spec, truth.to_string(), false),
        Value::Nil | Value::Missing if verb == 'v' => pad(spec, "<nil>".to_owned(), false),
        Value::NoList | Value::NoMap => plain(value),
        Value::Object(_) if matches!(verb, 'v' | 's') => plain(value),
        value => bad(verb, value),
    }
}

fn value_type(value: &Value) -> String {
    match value {
        Value::Nil | Value::Missing => "<nil>".to_owned(),
        value => value.type_name(),
    }
}

fn bad(verb: char, value: &Value) -> String {
    match value {
        Value::Nil | Value::Missing => format!("%!{verb}(<nil>)"),
        value => format!("%!{verb}({}={})", value.type_name(), plain(value)),
    }
}

/// `%#v`: Go source.
fn source(value: &Value) -> String {
    match value {
        Value::Text(text) | Value::Number(text) => quote(text),
        Value::Byte(number) => format!("0x{number:x}"),
        Value::List(list) => {
            let items: Vec<String> = list.iter().map(source).collect();
            format!("{}{{{}}}", value.type_name(), items.join(", "))
        }
        Value::Map(map) => {
            let items: Vec<String> =
                map.iter().map(|(key, value)| format!("{}:{}", quote(key), source(value))).collect();
            format!("{}{{{}}}", value.type_name(), items.join(", "))
        }
        other => plain(other),
    }
}

fn text_verb(verb: char, spec: Spec, text: &str, value: &Value) -> String {
    let cut = |text: &str| match spec.precision {
        Some(most) => text.chars().take(most).collect(),
        None => text.to_owned(),
    };
    let hex = |upper: bool| -> String {
        let digit = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        text.as_bytes().iter().map(digit).collect()
    };
    match verb {
        'v' | 's' => pad(spec, cut(text), false),
        'q' if spec.sharp && !text.contains('`') => pad(spec, format!("`{}`", cut(text)), false),
        'q' => pad(spec, quote(&cut(text)), false),
        'x' => pad(spec, hex(false), false),
        'X' => pad(spec, hex(true), false),
        _ => bad(verb, value),
    }
}

fn int_verb(verb: char, spec: Spec, number: i64, value: &Value) -> String {
    let size = number.unsigned_abs();
    let digits = match verb {
        'd' | 'v' => size.to_string(),
        'b' => format!("{}{size:b}", if spec.sharp { "0b" } else { "" }),
        'o' => format!("{}{size:o}", if spec.sharp { "0" } else { "" }),
        'O' => format!("0o{size:o}"),
        'x' => format!("{}{size:x}", if spec.sharp { "0x" } else { "" }),
        'X' => format!("{}{size:X}", if spec.sharp { "0X" } else { "" }),
        'c' | 'q' | 'U' => {
            let char = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
            return match verb {
                'c' => pad(spec, char.to_string(), false),
                'q' => pad(spec, quote_char(char), false),
                _ => pad(spec, format!("U+{size:04X}"), false),
            };
        }
        _ => return bad(verb, value),
    };
    let digits = match spec.precision {
        Some(least) if digits.len() < least => format!("{digits:0>least$}"),
        _ => digits,
    };
    signed(spec, number < 0, digits, spec.precision.is_none())
}

fn float_verb(verb: char, spec: Spec, number: f64, value: &Value) -> String {
    let size = number.abs();
    let digits = match (verb, spec.precision) {
        ('v' | 'g', None) => shortest(size),
        ('v' | 'g', Some(precision)) => general(size, precision.max(1)),
        ('f' | 'F', precision) => format!("{size:.*}", precision.unwrap_or(6)),
        ('e', precision) => {
            let text = format!("{size:.*e}", precision.unwrap_or(6));
            let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
            format!("{mantissa}{}", exponent(power.parse().unwrap_or(0)))
        }
        _ => return bad(verb, value),
    };
    signed(spec, number.is_sign_negative(), digits, true)
}

/// C's `%.<digits>g`.
fn general(size: f64, digits: usize) -> String {
    let text = format!("{size:.*e}", digits - 1);
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match i32::try_from(digits) {
        Ok(most) if (-4..most).contains(&power) => {
            trim(&format!("{size:.*}", usize::try_from(most - 1 - power).unwrap_or(0)))
        }
        _ => format!("{}{}", trim(mantissa), exponent(power)),
    }
}

fn signed(spec: Spec, negative: bool, digits: String, zeros: bool) -> String {
    let sign = match (negative, spec.plus, spec.space) {
        (true, ..) => "-",
        (_, true, _) => "+",
        (_, _, true) => " ",
        _ => "",
    };
    match spec.width {
        Some(width) if spec.zero && zeros && digits.len() + sign.len() < width => {
            format!("{sign}{digits:0>rest$}", rest = width - sign.len())
        }
        _ => pad(spec, format!("{sign}{digits}"), true),
    }
}

fn pad(spec: Spec, text: String, number: bool) -> String {
    let missing = spec.width.unwrap_or(0).saturating_sub(text.chars().count());
    let fill = if spec.zero && !number { "0" } else { " " }.repeat(missing);
    if spec.minus { text + &fill } else { fill + &text }
}
