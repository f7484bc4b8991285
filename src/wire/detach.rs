//! Detach keys: the sequence that leaves a terminal without ending its program, read and matched
//! as Docker's client and daemon do.

/// `ctrl-p,ctrl-q`.
pub const DEFAULT: [u8; 2] = [16, 17];

/// Reads `ctrl-p,ctrl-q`, `a,b` or `DEL`: one key between commas each.
///
/// # Errors
/// A key that is none, in Docker's words.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    text.split(',').map(|key| self::key(key).ok_or_else(|| format!("Unknown character: '{key}'"))).collect()
}

fn key(key: &str) -> Option<u8> {
    if let [byte] = key.as_bytes() {
        return Some(*byte);
    }
    let lower = key.to_ascii_lowercase();
    if lower == "del" {
        return Some(127);
    }
    // Control characters are what stands 64 places before them in ASCII.
    match lower.strip_prefix("ctrl-")?.as_bytes() {
        [byte @ b'a'..=b'z'] => Some(byte - b'a' + 1),
        [byte @ (b'@' | b'[' | b'\\' | b']' | b'^' | b'_')] => Some(byte - b'@'),
        _ => None,
    }
}

/// Watches input for the sequence. What may be its beginning is held back until it is not.
#[derive(Clone, Debug, Default)]
pub struct Escape {
    keys: Vec<u8>,
    matched: usize,
}

impl Escape {
    /// Watches for these keys; none are never found.
    pub fn new(keys: Vec<u8>) -> Escape {
        Escape { keys, matched: 0 }
    }

    /// What of `input` goes on to the program, and whether the sequence is complete.
    pub fn pass(&mut self, input: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(input.len());
        for byte in input {
            if self.keys.get(self.matched) == Some(byte) {
                self.matched += 1;
                if self.matched == self.keys.len() {
                    self.matched = 0;
                    return (passed, true);
                }
            } else {
                // Docker does not try the byte as a new beginning.
                passed.extend_from_slice(&self.keys[..self.matched]);
                passed.push(*byte);
                self.matched = 0;
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_as_docker_reads_them() {
        assert_eq!(parse("ctrl-p,ctrl-q"), Ok(DEFAULT.to_vec()));
        assert_eq!(parse("a,ctrl-@,CTRL-[,ctrl-_,DEL"), Ok(vec![b'a', 0, 27, 31, 127]));
        assert_eq!(parse("ctrl-p,nope"), Err("Unknown character: 'nope'".into()));
    }

    #[test]
    fn the_sequence_is_found_across_pieces_and_never_passed_on() {
        let mut escape = Escape::new(DEFAULT.to_vec());
        assert_eq!(escape.pass(b"ab\x10"), (b"ab".to_vec(), false));
        assert_eq!(escape.pass(b"\x11rest"), (vec![], true));
    }

    #[test]
    fn a_beginning_that_is_none_goes_on_to_the_program() {
        let mut escape = Escape::new(DEFAULT.to_vec());
        assert_eq!(escape.pass(b"\x10"), (vec![], false));
        assert_eq!(escape.pass(b"x"), (b"\x10x".to_vec(), false));
        assert_eq!(Escape::new(vec![]).pass(b"\x10\x11"), (DEFAULT.to_vec(), false));
    }
}
