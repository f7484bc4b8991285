//! Extended headers: POSIX.1-2001 pax interchange format, "LEN KEY=VALUE\n" after one another.
//!
//! Values are read by their length, never by line: an extended attribute is binary.

use super::error::UnpackError;
use super::sparse::PaxSparse;
use rustix::fs::Timespec;

const XATTR: &[u8] = b"SCHILY.xattr.";
const SPARSE: &[u8] = b"GNU.sparse.";

/// What the records of one entry say; the header's own field stands where there is `None`.
#[derive(Debug, Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) mtime: Option<Timespec>,
    /// Extended attributes: xattr(7).
    pub(super) xattrs: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) sparse: PaxSparse,
}

impl Pax {
    /// Reads all records of one header.
    pub(super) fn parse(mut records: &[u8]) -> Result<Pax, UnpackError> {
        let mut pax = Pax::default();
        while !records.is_empty() {
            let (key, value, rest) = next_record(records)
                .ok_or_else(|| UnpackError::Malformed("a pax record is not \"LENGTH KEY=VALUE\"".into()))?;
            pax.take(key, value)?;
            records = rest;
        }
        Ok(pax)
    }

    fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), UnpackError> {
        match key {
            b"path" => self.path = Some(value.to_vec()),
            b"linkpath" => self.link = Some(value.to_vec()),
            b"size" => self.size = Some(number(key, value)?),
            b"uid" => self.uid = Some(number(key, value)?),
            b"gid" => self.gid = Some(number(key, value)?),
            b"mtime" => self.mtime = Some(time(value).ok_or_else(|| bad(key, value))?),
            _ => {
                if let Some(name) = key.strip_prefix(XATTR) {
                    self.xattrs.push((name.to_vec(), value.to_vec()));
                } else if let Some(name) = key.strip_prefix(SPARSE) {
                    self.sparse.take(name, value)?;
                }
            }
        }
        Ok(())
    }
}

/// Key, value and what follows the first record.
fn next_record(records: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let space = records.iter().take(20).position(|byte| *byte == b' ')?;
    let length: usize = std::str::from_utf8(&records[..space]).ok()?.parse().ok()?;
    if length > records.len() || length < space + 3 {
        return None;
    }
    let (record, rest) = records.split_at(length);
    let record = record[space + 1..].strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], rest))
}

/// A decimal value.
pub(super) fn number<T: std::str::FromStr>(key: &[u8], value: &[u8]) -> Result<T, UnpackError> {
    std::str::from_utf8(value).ok().and_then(|text| text.parse().ok()).ok_or_else(|| bad(key, value))
}

fn bad(key: &[u8], value: &[u8]) -> UnpackError {
    UnpackError::Malformed(format!(
        "the pax record {} holds {:?}, not a number",
        String::from_utf8_lossy(key),
        String::from_utf8_lossy(&value[..value.len().min(40)])
    ))
}

/// Seconds with an optional fraction, perhaps before 1970.
fn time(value: &[u8]) -> Option<Timespec> {
    let text = std::str::from_utf8(value).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanos: i64 = format!("{:0<9.9}", fraction).parse().ok()?;
    // A negative time counts back from the second: -1.25 is 0.75 s after second -2.
    Some(match (whole.starts_with('-'), nanos) {
        (true, 1..) => Timespec { tv_sec: seconds.checked_sub(1)?, tv_nsec: 1_000_000_000 - nanos },
        _ => Timespec { tv_sec: seconds, tv_nsec: nanos },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_may_hold_newlines() {
        let pax = Pax::parse(b"22 SCHILY.xattr.u=a\nb\n9 path=x\n").unwrap();
        assert_eq!(pax.xattrs, [(b"u".to_vec(), b"a\nb".to_vec())]);
        assert_eq!(pax.path.as_deref(), Some(&b"x"[..]));
    }

    #[test]
    fn times_have_fractions_and_signs() {
        assert_eq!(time(b"12.5"), Some(Timespec { tv_sec: 12, tv_nsec: 500_000_000 }));
        assert_eq!(time(b"-1.25"), Some(Timespec { tv_sec: -2, tv_nsec: 750_000_000 }));
        assert_eq!(time(b"x"), None);
    }

    #[test]
    fn a_wrong_length_is_refused() {
        for records in [&b"99 path=x\n"[..], b"3 path=x\n", b"path=x\n", b"9 path=xy"] {
            assert!(Pax::parse(records).is_err(), "{records:?}");
        }
    }
}
