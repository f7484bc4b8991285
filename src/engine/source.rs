//! Where time and chance come from: the machine, or the simulator's fixed sequence.

use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};
use std::fmt::Debug;
use std::sync::atomic::{AtomicU64, Ordering};

/// A clock and a well of random bytes.
pub trait Source: Send + Sync + Debug {
    /// Now.
    fn now(&self) -> Timestamp;
    /// 32 bytes nobody has seen before.
    fn random(&self) -> [u8; 32];
}

/// The machine's own.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemSource;

impl Source for SystemSource {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn random(&self) -> [u8; 32] {
        rand::random()
    }
}

/// RFC 3339 with nanoseconds, as Docker prints times.
pub fn stamp(now: Timestamp) -> String {
    format!("{now:.9}")
}

/// The simulator's: the same instants and bytes in the same order, every time.
#[derive(Debug, Default)]
pub struct FixedSource {
    asked: AtomicU64,
}

/// The first instant of the simulator's clock, in seconds since the epoch: the year 2026.
const FIRST_SECOND: i64 = 1_767_225_600;

impl FixedSource {
    fn next(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::Relaxed)
    }
}

impl Source for FixedSource {
    /// A millisecond after the last answer.
    fn now(&self) -> Timestamp {
        let passed = SignedDuration::from_millis(i64::try_from(self.next()).unwrap_or(i64::MAX));
        Timestamp::from_second(FIRST_SECOND).unwrap_or_default().saturating_add(passed).unwrap_or_default()
    }

    fn random(&self) -> [u8; 32] {
        Sha256::digest(self.next().to_be_bytes()).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fixed_source_repeats_itself_and_never_says_the_same_twice() {
        let (one, other) = (FixedSource::default(), FixedSource::default());
        assert_eq!((one.now(), one.random()), (other.now(), other.random()));
        assert!(one.now() < one.now());
        assert_ne!(one.random(), one.random());
    }
}
