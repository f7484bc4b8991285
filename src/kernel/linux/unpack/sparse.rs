//! Sparse files: where the pieces of data lie between the holes. GNU tar's manual, appendix
//! "Storing Sparse Files", describes all four ways this is written.

use super::error::UnpackError;
use super::pax::number;

/// Most pieces a file may have; a map of them stays under a few MiB.
pub(super) const MOST_PIECES: usize = 100_000;

/// One piece of data: offset in the file, length.
pub(super) type Piece = (u64, u64);

/// The pax records `GNU.sparse.*`.
#[derive(Debug, Default)]
pub(super) struct PaxSparse {
    pub(super) name: Option<Vec<u8>>,
    pub(super) real_size: Option<u64>,
    major: u32,
    pieces: Vec<Piece>,
    mentioned: bool,
    offset: Option<u64>,
}

impl PaxSparse {
    /// Takes one record; `key` is what follows `GNU.sparse.`.
    pub(super) fn take(&mut self, key: &[u8], value: &[u8]) -> Result<(), UnpackError> {
        self.mentioned = true;
        match key {
            b"name" => self.name = Some(value.to_vec()),
            b"size" | b"realsize" => self.real_size = Some(number(key, value)?),
            b"major" => self.major = number(key, value)?,
            b"map" if !value.is_empty() => {
                let numbers = value
                    .split(|byte| *byte == b',')
                    .map(|text| number(key, text))
                    .collect::<Result<Vec<u64>, _>>()?;
                self.pieces = pairs(&numbers)?;
            }
            b"offset" => self.offset = Some(number(key, value)?),
            b"numbytes" => {
                let offset = self.offset.take().ok_or_else(|| malformed("a length without an offset"))?;
                self.pieces.push((offset, number(key, value)?));
            }
            _ => {}
        }
        match self.pieces.len() {
            0..=MOST_PIECES => Ok(()),
            _ => Err(malformed("too many pieces")),
        }
    }

    /// Whether the entry is a sparse file at all.
    pub(super) fn is_sparse(&self) -> bool {
        self.mentioned
    }

    /// Whether the map stands in front of the data (format 1.0) rather than in the records.
    pub(super) fn map_in_body(&self) -> bool {
        self.major >= 1
    }

    /// The map of formats 0.0 and 0.1.
    pub(super) fn into_pieces(self) -> Vec<Piece> {
        self.pieces
    }
}

/// Reads format 1.0's map, decimal numbers on lines of their own, from the blocks `next_block`
/// hands out one by one; the last is padded.
pub(super) fn map_from_body(
    mut next_block: impl FnMut() -> Result<[u8; 512], UnpackError>,
) -> Result<Vec<Piece>, UnpackError> {
    let mut numbers: Vec<u64> = Vec::new();
    let mut digits = Vec::new();
    let mut wanted = 1;
    loop {
        for byte in next_block()? {
            match byte {
                b'\n' => {
                    numbers.push(number(b"map", &digits)?);
                    digits.clear();
                    if numbers.len() == 1 {
                        wanted = numbers[0]
                            .checked_mul(2)
                            .filter(|n| *n <= 2 * MOST_PIECES as u64)
                            .map(|n| n + 1)
                            .ok_or_else(|| malformed("too many pieces"))?;
                    }
                    if numbers.len() as u64 == wanted {
                        return pairs(&numbers[1..]);
                    }
                }
                digit if digits.len() < 20 => digits.push(digit),
                _ => return Err(malformed("a number of more than 20 digits")),
            }
        }
    }
}

fn pairs(numbers: &[u64]) -> Result<Vec<Piece>, UnpackError> {
    match numbers.as_chunks() {
        (pairs, []) => Ok(pairs.iter().map(|[offset, length]| (*offset, *length)).collect()),
        _ => Err(malformed("an offset without a length")),
    }
}

/// Holds a map against the file's size and the length of the data that follows.
pub(super) fn check(pieces: &[Piece], real_size: u64, data: u64) -> Result<(), UnpackError> {
    let mut end = 0u64;
    let mut sum = 0u64;
    for (offset, length) in pieces {
        if *offset < end {
            return Err(malformed("pieces that overlap"));
        }
        end = offset.checked_add(*length).ok_or_else(|| malformed("a piece beyond 64 bits"))?;
        // Cannot overflow: the pieces do not overlap, so the sum is at most `end`.
        sum += length;
    }
    if end > real_size || sum != data || i64::try_from(real_size).is_err() {
        return Err(malformed("pieces that do not fit the sizes given"));
    }
    Ok(())
}

fn malformed(what: &str) -> UnpackError {
    UnpackError::Malformed(format!("a sparse file with {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_must_ascend_and_fit() {
        assert!(check(&[(0, 5), (10, 5)], 20, 10).is_ok());
        assert!(check(&[(10, 5), (0, 5)], 20, 10).is_err());
        assert!(check(&[(0, 5)], 4, 5).is_err());
        assert!(check(&[(0, 5)], 20, 6).is_err());
        assert!(check(&[(u64::MAX, 2)], u64::MAX, 2).is_err());
    }

    #[test]
    fn the_map_in_front_of_the_data_ends_with_its_last_number() {
        let mut block = [0; 512];
        block[..10].copy_from_slice(b"2\n0\n5\n10\n3");
        let mut second = [0; 512];
        second[0] = b'\n';
        let mut blocks = [block, second].into_iter();
        // 512 bytes a block: the last number is cut by the block's padding of NULs, which is
        // what a damaged map looks like.
        assert!(map_from_body(|| Ok(blocks.next().unwrap())).is_err());
        block[10] = b'\n';
        assert_eq!(map_from_body(|| Ok(block)).unwrap(), [(0, 5), (10, 3)]);
    }
}
