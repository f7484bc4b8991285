//! Where time and chance come from: the machine, or the simulator's fixed sequence.

use jiff::Timestamp;
use std::fmt::Debug;

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
