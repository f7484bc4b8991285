//! Reading and changing ELF files, with the test's own program as the sample.

use learn::hub::elf::{Elf, Error};

fn this_program() -> Vec<u8> {
    std::fs::read(std::env::current_exe().unwrap()).unwrap()
}

#[test]
fn a_dynamic_program_names_its_loader_and_libraries() {
    let elf = Elf::parse(&this_program()).unwrap();
    assert!(elf.loader().unwrap().starts_with("/lib"), "{elf:?}");
    assert!(elf.needed.iter().any(|name| name.starts_with("libc.")), "{elf:?}");
}

#[test]
fn a_shorter_loader_path_replaces_the_old_one_and_nothing_moves() {
    let original = this_program();
    let elf = Elf::parse(&original).unwrap();
    let mut changed = original.clone();
    elf.set_loader(&mut changed, "/lib/x.so").unwrap();
    assert_eq!(changed.len(), original.len());
    let after = Elf::parse(&changed).unwrap();
    assert_eq!(after.loader(), Some("/lib/x.so"));
    assert_eq!(after.needed, elf.needed);
    let old = elf.loader().unwrap();
    let differing = original.iter().zip(&changed).filter(|(a, b)| a != b).count();
    assert!((1..=old.len()).contains(&differing), "{differing} bytes for {old}");
}

#[test]
fn a_longer_loader_path_is_refused_and_the_file_untouched() {
    let original = this_program();
    let elf = Elf::parse(&original).unwrap();
    let long = format!("{}x", elf.loader().unwrap());
    let mut changed = original.clone();
    let error = elf.set_loader(&mut changed, &long).unwrap_err();
    assert!(matches!(error, Error::LoaderTooLong { new, .. } if new == long));
    assert!(changed == original);
    // As long as the old one just fits: its final NUL stays.
    let equal = "y".repeat(long.len() - 1);
    elf.set_loader(&mut changed, &equal).unwrap();
    assert_eq!(Elf::parse(&changed).unwrap().loader(), Some(equal.as_str()));
}

#[test]
fn other_files_are_told_apart() {
    assert_eq!(Elf::parse(b""), Err(Error::NotElf));
    assert_eq!(Elf::parse(b"#!/bin/sh\n"), Err(Error::NotElf));
    assert_eq!(Elf::parse(b"\x7fELF\x01\x01"), Err(Error::OtherClass));
    assert_eq!(Elf::parse(b"\x7fELF\x02\x01"), Err(Error::Damaged("the header")));
}

#[test]
fn no_cut_and_no_wild_number_makes_the_reader_panic() {
    let whole = learn::hub::hello::PROGRAM;
    for length in 0..whole.len() {
        let _any = Elf::parse(&whole[..length]);
    }
    // Every number in the headers of a dynamic program, set to the largest.
    let mut damaged = this_program();
    for start in (0..2048).step_by(4) {
        let field = start..start + 8;
        let before = damaged[field.clone()].to_vec();
        damaged[field.clone()].fill(0xff);
        let _any = Elf::parse(&damaged);
        damaged[field].copy_from_slice(&before);
    }
}
