//! Values of flags, read as Docker's client reads them and refused in its words.

use std::net::IpAddr;

/// How a value is read: itself, or what is wrong with it.
pub type Read<T> = Result<T, String>;

/// An integer, decimal or with a prefix (`0x10`).
pub fn int(text: &str) -> Read<i64> {
    integer(text, "ParseInt")
}

/// A number of at most 16 bits.
pub fn short(text: &str) -> Read<u16> {
    let number = integer(text, "ParseUint")?;
    u16::try_from(number).map_err(|_| format!("strconv.ParseUint: parsing {text:?}: value out of range"))
}

fn integer(text: &str, function: &str) -> Read<i64> {
    let (sign, digits) = match text.strip_prefix('-') {
        Some(digits) if function == "ParseInt" => (-1, digits),
        _ => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let plain = digits.to_ascii_lowercase();
    let (radix, plain) = match plain.get(..2) {
        Some("0x") => (16, &plain[2..]),
        Some("0o") => (8, &plain[2..]),
        Some("0b") => (2, &plain[2..]),
        _ if plain.len() > 1 && plain.starts_with('0') => (8, &plain[1..]),
        _ => (10, plain.as_str()),
    };
    let failed = |what: &str| format!("strconv.{function}: parsing {text:?}: {what}");
    if plain.is_empty() || !plain.chars().all(|digit| digit.is_digit(radix)) {
        return Err(failed("invalid syntax"));
    }
    i64::from_str_radix(plain, radix).map(|number| sign * number).map_err(|_| failed("value out of range"))
}

/// `true`, `1`, `T`, `false`, ….
pub fn boolean(text: &str) -> Read<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(format!("strconv.ParseBool: parsing {text:?}: invalid syntax")),
    }
}

/// A size in powers of 1024: `64m`, `1.5GiB`, `100b`.
#[expect(clippy::cast_possible_truncation, reason = "as Docker's client: what is too large is the largest")]
pub fn bytes(text: &str) -> Read<i64> {
    let Some(end) = text.rfind(|char: char| char.is_ascii_digit() || char == '.' || char == ' ') else {
        return Err(format!("invalid size: '{text}'"));
    };
    let number = if text[end..].starts_with(' ') { &text[..end] } else { &text[..=end] };
    let suffix = text[end + 1..].to_ascii_lowercase();
    let size: f64 =
        number.parse().map_err(|_| format!("strconv.ParseFloat: parsing {number:?}: invalid syntax"))?;
    if size < 0.0 {
        return Err(format!("invalid size: '{text}'"));
    }
    let power = match suffix.as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ if suffix.len() > 3 => return Err(format!("invalid suffix: '{}'", &text[end + 1..])),
        _ => return Err(format!("invalid suffix: '{suffix}'")),
    };
    Ok((size * 1024f64.powi(power)) as i64)
}

/// A size, or -1 for no limit.
pub fn bytes_or_all(text: &str) -> Read<i64> {
    if text == "-1" { Ok(-1) } else { bytes(text) }
}

/// Processors as billionths: `1.5`, `1/2`.
pub fn cpus(text: &str) -> Read<i64> {
    const BILLION: i128 = 1_000_000_000;
    let failed = || format!("failed to parse {text} as a rational number");
    let (above, below) = text.split_once('/').unwrap_or((text, "1"));
    let (above, scale) = decimal(above).ok_or_else(failed)?;
    let below: i128 = below.parse().ok().filter(|below| *below != 0).ok_or_else(failed)?;
    let (above, below) = (above * BILLION, below * scale);
    match above % below {
        0 => i64::try_from(above / below).map_err(|_| failed()),
        _ => Err("value is too precise".to_owned()),
    }
}

/// `1.25` as 125 over 100.
fn decimal(text: &str) -> Option<(i128, i128)> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let unsigned = whole.strip_prefix(['-', '+']).unwrap_or(whole);
    if !is_number(unsigned) || !is_number(part) || unsigned.len() + part.len() == 0 || part.len() > 18 {
        return None;
    }
    Some((format!("{whole}{part}").parse().ok()?, 10i128.pow(u32::try_from(part.len()).ok()?)))
}

/// An address, in its usual form.
pub fn ip(text: &str) -> Read<String> {
    let failed = |_| format!("IP address is not correctly formatted: {text}");
    text.trim().parse::<IpAddr>().map(|ip| ip.to_canonical().to_string()).map_err(failed)
}

/// A domain to search, or `.` for none.
pub fn search_domain(text: &str) -> Read<String> {
    let domain = text.trim_matches(' ');
    if domain == "." {
        return Ok(domain.to_owned());
    }
    let name = domain.strip_suffix('.').unwrap_or(domain);
    let is_part = |part: &str| {
        let word = |char: char| char.is_ascii_alphanumeric() || char == '-' || char == '_';
        !part.is_empty()
            && part.chars().all(word)
            && part.starts_with(|char: char| char.is_ascii_alphanumeric())
            && part.ends_with(|char: char| char.is_ascii_alphanumeric())
    };
    let sound = name.contains(|char: char| char.is_ascii_alphabetic())
        && name.len() < 255
        && name.split('.').all(is_part);
    if sound { Ok(name.to_owned()) } else { Err(format!("{domain} is not a valid domain")) }
}

/// `name:address` from that or `name=[address]`.
pub fn extra_host(text: &str) -> Read<String> {
    let bad = || format!("bad format for add-host: {text:?}");
    let (name, address) = text.split_once('=').or_else(|| text.split_once(':')).ok_or_else(bad)?;
    if name.is_empty() || name.contains(':') {
        return Err(bad());
    }
    if address == "host-gateway" {
        return Ok(format!("{name}:{address}"));
    }
    let bare = address.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).filter(|ip| !ip.is_empty());
    let address = bare.unwrap_or(address);
    if address.trim().parse::<IpAddr>().is_err() {
        return Err(format!("invalid IP address in add-host: {address:?}"));
    }
    Ok(format!("{name}:{address}"))
}

/// `key=value`, or a key alone.
pub fn label(text: &str) -> Read<String> {
    let key = text.split('=').next().unwrap_or_default().trim_start_matches([' ', '\t']);
    if key.is_empty() {
        return Err(format!("invalid label '{text}': empty name"));
    }
    if key.contains([' ', '\t']) {
        return Err(format!("label '{key}' contains whitespaces"));
    }
    Ok(text.to_owned())
}

/// A kernel parameter that belongs to a namespace.
pub fn sysctl(text: &str) -> Read<String> {
    const NAMED: [&str; 8] = [
        "kernel.msgmax",
        "kernel.msgmnb",
        "kernel.msgmni",
        "kernel.sem",
        "kernel.shmall",
        "kernel.shmmax",
        "kernel.shmmni",
        "kernel.shm_rmid_forced",
    ];
    match text.split_once('=') {
        Some((key, _))
            if NAMED.contains(&key) || key.starts_with("net.") || key.starts_with("fs.mqueue.") =>
        {
            Ok(text.to_owned())
        }
        _ => Err(format!("sysctl '{text}' is not allowed")),
    }
}

/// `name:alias`, or a name alone.
pub fn link(text: &str) -> Read<String> {
    match text.split(':').count() {
        _ if text.is_empty() => Err("empty string specified for links".to_owned()),
        1 | 2 => Ok(text.to_owned()),
        _ => Err(format!("bad format for links: {text}")),
    }
}

/// A path and what is set for the device there.
fn device(text: &str) -> Read<(&str, &str)> {
    match text.split_once(':') {
        None | Some(("", _)) => Err(format!("bad format: {text}")),
        Some((path, _)) if !path.starts_with("/dev/") => Err(format!("bad format for device path: {text}")),
        Some(pair) => Ok(pair),
    }
}

/// A device and a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Throttle {
    /// Below /dev.
    pub path: String,
    /// Bytes or operations a second, or a weight.
    pub rate: i64,
}

/// `/dev/sda:1mb`
pub fn bytes_a_second(text: &str) -> Read<Throttle> {
    let (path, rate) = device(text)?;
    let failed = |_| {
        format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>[<unit>]. Number must \
             be a positive integer. Unit is optional and can be kb, mb, or gb"
        )
    };
    Ok(Throttle { path: path.to_owned(), rate: bytes(rate).map_err(failed)? })
}

/// `/dev/sda:1000`
pub fn operations_a_second(text: &str) -> Read<Throttle> {
    let (path, rate) = device(text)?;
    match rate.parse::<u32>() {
        Ok(rate) => Ok(Throttle { path: path.to_owned(), rate: rate.into() }),
        Err(_) => Err(format!(
            "invalid rate for device: {text}. The correct format is <device-path>:<number>. Number must be a \
             positive integer"
        )),
    }
}

/// `/dev/sda:500`
pub fn weight(text: &str) -> Read<Throttle> {
    let (path, weight) = device(text)?;
    match weight.parse::<u16>() {
        Ok(weight @ (0 | 10..=1000)) => Ok(Throttle { path: path.to_owned(), rate: weight.into() }),
        _ => Err(format!("invalid weight for device: {text}")),
    }
}

/// `c 10:200 rwm`
pub fn cgroup_rule(text: &str) -> Read<String> {
    let sound = || -> Option<bool> {
        let (kind, rest) = text.split_once(' ')?;
        let (numbers, modes) = rest.split_once(' ')?;
        let (major, minor) = numbers.split_once(':')?;
        let number =
            |text: &str| text == "*" || !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let modes = (1..=3).contains(&modes.len()) && modes.chars().all(|mode| "rwm".contains(mode));
        Some(matches!(kind, "a" | "b" | "c") && number(major) && number(minor) && modes)
    };
    match sound() {
        Some(true) => Ok(text.to_owned()),
        _ => Err(format!("invalid device cgroup format '{text}'")),
    }
}

/// A hardware address.
pub fn is_mac(text: &str) -> bool {
    let parts: Vec<&str> = text.trim().split([':', '-']).collect();
    let pair = |part: &&str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(parts.len(), 6 | 8 | 20) && parts.iter().all(pair)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_in_1024_and_fail_in_dockers_words() {
        assert_eq!(bytes("64m"), Ok(64 << 20));
        assert_eq!(bytes("1.5GiB"), Ok(3 << 29));
        assert_eq!(bytes("10 kb"), Ok(10 << 10));
        assert_eq!(bytes("abc").unwrap_err(), "invalid size: 'abc'");
        assert_eq!(bytes("1x").unwrap_err(), "invalid suffix: 'x'");
        assert_eq!(bytes("-1").unwrap_err(), "invalid size: '-1'");
        assert_eq!(bytes_or_all("-1"), Ok(-1));
    }

    #[test]
    fn processors_are_fractions() {
        assert_eq!(cpus("1.5"), Ok(1_500_000_000));
        assert_eq!(cpus("1/4"), Ok(250_000_000));
        assert_eq!(cpus(".5"), Ok(500_000_000));
        assert_eq!(cpus("x").unwrap_err(), "failed to parse x as a rational number");
        assert_eq!(cpus("1/3").unwrap_err(), "value is too precise");
    }
}
