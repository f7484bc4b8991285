//! Sizes as Docker prints them: powers of 1000, `%.3g` or `%.4g` as in C.

const UNITS: [&str; 9] = ["B", "kB", "MB", "GB", "TB", "PB", "EB", "ZB", "YB"];

/// With three significant digits: images and layers (`13.3kB`).
pub fn short(bytes: i64) -> String {
    with_digits(bytes, 3)
}

/// With four significant digits: progress (`1.234MB`).
pub fn long(bytes: i64) -> String {
    with_digits(bytes, 4)
}

/// With four significant digits and powers of 1024: memory (`7.654GiB`).
pub fn binary(bytes: i64) -> String {
    const BINARY: [&str; 9] = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB", "ZiB", "YiB"];
    let (value, unit) = scale(bytes, 1024.0);
    format!("{}{}", significant(value, 4), BINARY[unit])
}

/// What a person types: `512m`, `1.5g`, `64MiB`, a plain number of bytes; powers of 1024 as in
/// go-units' `RAMInBytes`. `None` for anything else.
pub fn parse(text: &str) -> Option<i64> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let unit = unit.strip_prefix(' ').unwrap_or(unit).to_ascii_lowercase();
    let letter = unit.strip_suffix('b').unwrap_or(&unit);
    let letter = letter.strip_suffix('i').unwrap_or(letter);
    let power = match letter {
        "" => 0,
        letter => u32::try_from("kmgtp".find(letter).filter(|_| letter.len() == 1)?).ok()? + 1,
    };
    let value: f64 = number.parse().ok().filter(|_| number.starts_with(|c: char| c.is_ascii_digit()))?;
    #[expect(clippy::cast_possible_truncation, reason = "too much is as much as there can be")]
    Some((value * 1024_f64.powi(i32::try_from(power).ok()?)) as i64)
}

fn with_digits(bytes: i64, digits: usize) -> String {
    let (value, unit) = scale(bytes, 1000.0);
    format!("{}{}", significant(value, digits), UNITS[unit])
}

#[expect(clippy::cast_precision_loss, reason = "four digits are shown")]
fn scale(bytes: i64, base: f64) -> (f64, usize) {
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= base && unit + 1 < UNITS.len() {
        value /= base;
        unit += 1;
    }
    (value, unit)
}

/// `%.<digits>g` of C's printf(3): trailing zeros go, and what rounds up beyond the digits gets
/// an exponent (`1e+03kB`), as Docker prints it.
fn significant(value: f64, digits: usize) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    let scientific = format!("{value:.*e}", digits - 1);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let trim = |text: &str| match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    match usize::try_from(exponent) {
        Ok(power) if power >= digits => format!("{}e+{exponent:02}", trim(mantissa)),
        Ok(power) => trim(&format!("{value:.*}", digits - 1 - power)),
        Err(_) => trim(&format!("{value:.*}", digits - 1 + exponent.unsigned_abs() as usize)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_type_is_read_in_powers_of_1024() {
        for (text, bytes) in [
            ("512m", 512 << 20),
            ("1.5g", 3 << 29),
            ("64MiB", 64 << 20),
            ("10kb", 10 << 10),
            ("7", 7),
            ("0", 0),
        ] {
            assert_eq!(parse(text), Some(bytes), "{text}");
        }
        for text in ["", "m", "5x", "-1", "1 0m", "5mm", "."] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_carry_three_digits() {
        let cases = [
            (0, "0B"),
            (999, "999B"),
            (1000, "1kB"),
            (13_256, "13.3kB"),
            (7_834_000, "7.83MB"),
            (100_000_000, "100MB"),
            (1_549_000_000, "1.55GB"),
            (999_900, "1e+03kB"),
        ];
        for (bytes, text) in cases {
            assert_eq!(short(bytes), text, "{bytes} bytes");
        }
    }

    #[test]
    fn progress_carries_four_digits_and_memory_counts_in_1024() {
        assert_eq!(long(1_234_567), "1.235MB");
        assert_eq!(binary(8_217_722_880), "7.653GiB");
    }
}
