//! Little that unpacks to much.

use crate::bench::{Bench, GZIP, Hand, ZSTD};
use crate::tarball::{Entry, Tarball, extension, file, gzip};
use learn::error::{Hint, Kind};
use tar::EntryType;

#[test]
fn a_bomb_stops_at_the_limit_and_says_it() {
    let bomb = gzip(&Tarball::of([file("zeros", vec![0; 40_000_000])]));
    assert!(bomb.len() < 400_000);
    let bench = Bench::new();
    let hand = Hand { media_type: GZIP, limit: 10_000_000, ..Hand::default() };
    let fault = bench.hand(&bomb, hand).unwrap_err();
    assert_eq!((fault.kind, fault.hint), (Kind::Invalid, Some(Hint::RaiseUnpackLimit)));
    assert!(fault.message.contains("10000000"), "{}", fault.message);
    assert!(bench.at("zeros").metadata().unwrap().len() <= 10_000_000);
}

#[test]
fn exactly_the_limit_is_allowed() {
    let tar = Tarball::of([file("x", "x")]);
    let limit = tar.len() as u64;
    assert!(Bench::new().hand(&tar, Hand { limit, ..Hand::default() }).is_ok());
    assert!(Bench::new().hand(&tar, Hand { limit: limit - 1, ..Hand::default() }).is_err());
}

#[test]
fn bytes_that_inflate_to_nothing_are_limited_too() {
    let gzip_members = gzip(b"").repeat(5000);
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0].repeat(20_000);
    for (media_type, layer) in [(GZIP, gzip_members), (ZSTD, skippable)] {
        let bench = Bench::new();
        let fault = bench.hand(&layer, Hand { media_type, limit: 50_000, ..Hand::default() }).unwrap_err();
        assert_eq!(fault.hint, Some(Hint::RaiseUnpackLimit));
        assert!(bench.blob().metadata().unwrap().len() < 60_000);
    }
}

#[test]
fn a_sparse_file_counts_with_its_holes() {
    let records: [(&str, &[u8]); 3] =
        [("GNU.sparse.map", b"0,1"), ("GNU.sparse.size", b"9000000000000"), ("GNU.sparse.name", b"x")];
    let tar = Tarball::of([file("x", "x").pax(&records)]);
    let fault = Bench::new().unpack(&tar).unwrap_err();
    assert_eq!(fault.hint, Some(Hint::RaiseUnpackLimit));
}

#[test]
fn an_extended_header_of_any_length_is_not_read_into_memory() {
    for kind in [EntryType::XHeader, EntryType::GNULongName, EntryType::GNULongLink] {
        let tar = Tarball::default().raw(&extension(kind, &vec![b'a'; 3 << 20])).add(file("x", "")).end();
        let fault = Bench::new().unpack(&tar).unwrap_err();
        assert!(fault.message.contains("extended header of 3145728 bytes"), "{}", fault.message);
    }
}

#[test]
fn sizes_near_the_end_of_64_bits_are_malformed() {
    for size in ["18446744073709551615", "9223372036854775808"] {
        let tar = Tarball::of([file("x", "x").pax(&[("size", size.as_bytes())])]);
        assert_eq!(Bench::new().unpack(&tar).unwrap_err().kind, Kind::Invalid, "{size}");
    }
    let tar = Tarball::of([Entry::new(EntryType::Regular, "x", b"x").size(u64::MAX)]);
    assert_eq!(Bench::new().unpack(&tar).unwrap_err().kind, Kind::Invalid);
}
