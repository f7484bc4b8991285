//! Bytes, digests and compressions.

use crate::bench::{Bench, GZIP, Hand, TAR, ZSTD, digest};
use crate::tarball::{Tarball, file, gzip};
use learn::error::Kind;

fn sample() -> Vec<u8> {
    Tarball::of([file("a", "a".repeat(100_000)), file("b", "b".repeat(700_000))])
}

#[test]
fn every_compression_gives_the_same_tree_and_its_own_digest() {
    let tar = sample();
    let members = [gzip(&tar[..5000]), gzip(&tar[5000..])].concat();
    let zstd = zstd::encode_all(&*tar, 3).unwrap();
    for (media_type, layer) in [(TAR, tar.clone()), (GZIP, gzip(&tar)), (GZIP, members), (ZSTD, zstd)] {
        for stretch in [1, 100, 1 << 20] {
            let bench = Bench::new();
            let result = bench.hand(&layer, Hand { media_type, stretch, ..Hand::default() }).unwrap();
            assert_eq!(result.unpacked.digest, digest(&layer));
            assert_eq!(result.unpacked.diff_id, digest(&tar));
            assert_eq!(result.unpacked.size, layer.len() as u64);
            assert_eq!(result.unpacked.inflated, tar.len() as u64);
            assert_eq!(result.unpacked.entries, 2);
            assert_eq!(result.progress, layer.len() as u64);
            assert_eq!(bench.text("b"), "b".repeat(700_000));
            assert_eq!(std::fs::read(bench.blob()).unwrap(), layer);
        }
    }
}

#[test]
fn a_media_type_that_lies_about_the_compression_is_named() {
    let tar = sample();
    for (media_type, layer, promised, found) in
        [(GZIP, tar.clone(), "gzip", "uncompressed"), (ZSTD, gzip(&tar), "zstd", "gzip")]
    {
        let fault = Bench::new().hand(&layer, Hand { media_type, ..Hand::default() }).unwrap_err();
        assert_eq!(fault.kind, Kind::Invalid);
        assert!(fault.message.contains(promised) && fault.message.contains(found), "{}", fault.message);
    }
}

#[test]
fn bytes_with_another_digest_report_it_and_leave_no_blob() {
    let tar = sample();
    let whole = gzip(&tar);
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    // Damage that inflating notices, damage that makes no gzip at all, and another healthy layer.
    for layer in [flipped, vec![7; 5000], gzip(&Tarball::of([file("other", "")])), Vec::new()] {
        let bench = Bench::new();
        let promised = Some(digest(&whole));
        let hand = Hand { media_type: GZIP, digest: promised, ..Hand::default() };
        let result = bench.hand(&layer, hand).unwrap();
        assert_eq!(result.unpacked.digest, digest(&layer));
        assert!(!bench.blob().exists());
    }
}

#[test]
fn a_directory_that_holds_something_is_refused() {
    let bench = Bench::new();
    std::fs::create_dir(bench.root()).unwrap();
    std::fs::write(bench.at("left over"), "").unwrap();
    let fault = bench.unpack(&sample()).unwrap_err();
    assert_eq!(fault.errno, Some(libc::ENOTEMPTY));
}
