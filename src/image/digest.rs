//! Digests: `sha256:<64 hex digits>`, OCI image specification, "Descriptor".

use sha2::{Digest as _, Sha256};

/// `sha256:<hex>` of some bytes.
pub fn of(bytes: &[u8]) -> String {
    format!("sha256:{}", hex::encode(Sha256::digest(bytes)))
}

/// The hex digits of a digest; the whole text where there is no algorithm.
pub fn hex(digest: &str) -> &str {
    digest.split_once(':').map_or(digest, |(_, hex)| hex)
}

/// Docker's short form: the first 12 hex digits.
pub fn short(digest: &str) -> &str {
    let hex = hex(digest);
    hex.get(..12).unwrap_or(hex)
}

/// Whether this is a digest this store can check. A digest becomes a file name, so nothing but
/// 64 lower-case hex digits may pass.
pub fn is_valid(digest: &str) -> bool {
    digest.strip_prefix("sha256:").is_some_and(is_hash)
}

/// Whether this is 64 lower-case hex digits.
pub fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_of_nothing_is_the_known_one() {
        let empty = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(of(b""), empty);
        assert!(is_valid(empty));
        assert_eq!(short(empty), "e3b0c44298fc");
    }

    #[test]
    fn a_digest_that_could_leave_the_store_is_refused() {
        assert!(!is_valid("sha256:../../etc/passwd"));
        assert!(!is_valid(&format!("sha512:{}", "a".repeat(64))));
        assert!(!is_valid(&format!("sha256:{}", "A".repeat(64))));
    }
}
