//! Literals of Go's source: quoted texts, characters, numbers.

use super::node::Number;

/// The text of a quoted or raw literal; `None` when an escape makes no sense.
pub fn unquote(source: &str) -> Option<String> {
    if let Some(raw) = source.strip_prefix('`') {
        return raw.strip_suffix('`').map(|raw| raw.replace('\r', ""));
    }
    let inside = source.strip_prefix('"')?.strip_suffix('"')?;
    let bytes = unescape(inside, '"')?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// A number, or a character for its code.
///
/// # Errors
/// Go's complaint.
pub fn number(source: &str) -> Result<Number, String> {
    if let Some(inside) = source.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
        let bytes = unescape(inside, '\'');
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let mut chars = text.as_deref().unwrap_or_default().chars();
        return match (chars.next(), chars.next()) {
            (Some(char), None) => Ok(Number::Int(i64::from(u32::from(char)))),
            _ => Err(format!("malformed character constant: {source}")),
        };
    }
    let bad = || format!("illegal number syntax: {}", super::print::quote(source));
    let overflow = || format!("integer overflow: {}", super::print::quote(source));
    let (sign, digits) = match source.strip_prefix('-') {
        Some(digits) => (-1, digits),
        None => (1, source.strip_prefix('+').unwrap_or(source)),
    };
    let plain = digits.replace('_', "");
    let lower = plain.to_ascii_lowercase();
    let (radix, text) = match lower.get(..2) {
        Some("0x") if !lower.contains(['.', 'p']) => (16, &lower[2..]),
        Some("0o") => (8, &lower[2..]),
        Some("0b") => (2, &lower[2..]),
        _ if lower.len() > 1 && lower.starts_with('0') && lower.bytes().all(|byte| byte.is_ascii_digit()) => {
            (8, &lower[1..])
        }
        _ => (10, lower.as_str()),
    };
    if let Ok(value) = i64::from_str_radix(text, radix) {
        return Ok(Number::Int(sign * value));
    }
    if u64::from_str_radix(text, radix).is_ok() {
        return Ok(Number::Overflow);
    }
    if !text.is_empty() && text.chars().all(|digit| digit.is_digit(radix)) {
        return Err(overflow());
    }
    match lower.parse::<f64>() {
        Ok(value) if radix == 10 => Ok(Number::Float(if sign < 0 { -value } else { value })),
        _ => Err(bad()),
    }
}

fn unescape(inside: &str, quote: char) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut chars = inside.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.extend(char.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let escape = chars.next()?;
        let digits = match escape {
            'a' => b"\x07".to_vec(),
            'b' => b"\x08".to_vec(),
            'f' => b"\x0c".to_vec(),
            'n' => b"\n".to_vec(),
            'r' => b"\r".to_vec(),
            't' => b"\t".to_vec(),
            'v' => b"\x0b".to_vec(),
            '\\' => b"\\".to_vec(),
            other if other == quote => vec![u8::try_from(other).ok()?],
            'x' => vec![u8::try_from(code(&mut chars, 2, 16)?).ok()?],
            'u' => char::from_u32(code(&mut chars, 4, 16)?)?.to_string().into_bytes(),
            'U' => char::from_u32(code(&mut chars, 8, 16)?)?.to_string().into_bytes(),
            octal @ '0'..='7' => {
                let low = code(&mut chars, 2, 8)?;
                vec![u8::try_from(octal.to_digit(8)? * 64 + low).ok()?]
            }
            _ => return None,
        };
        out.extend(digits);
    }
    Some(out)
}

fn code(chars: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Option<u32> {
    (0..digits).try_fold(0, |value, _| Some(value * radix + chars.next()?.to_digit(radix)?))
}
