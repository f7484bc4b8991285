//! `learn doctor` as it is run: what it finds here is this machine's affair, how it says it is ours.

use assert_cmd::Command;
use std::fs;

fn doctor(lang: &str) -> (Option<i32>, String, Vec<String>) {
    let place = tempfile::tempdir().unwrap();
    let output = Command::cargo_bin("learn")
        .unwrap()
        .args(["doctor", "--lang", lang, "--host"])
        .arg(format!("unix://{}/learn.sock", place.path().display()))
        .arg("--root")
        .arg(place.path().join("not/there/yet"))
        .output()
        .unwrap();
    let left = fs::read_dir(place.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    (output.status.code(), String::from_utf8(output.stdout).unwrap(), left)
}

#[test]
fn every_check_is_one_line_and_the_exit_code_is_the_verdict() {
    let (code, said, left) = doctor("en");
    let lines: Vec<&str> = said.lines().take_while(|line| !line.is_empty()).collect();
    let checks: Vec<&&str> = lines.iter().filter(|line| !line.starts_with("       $ ")).collect();
    assert_eq!(checks.len(), 10, "{said}");
    let failed = checks.iter().any(|line| line.starts_with("fail"));
    assert_eq!(code, Some(i32::from(failed)), "{said}");
    assert_eq!(said.contains("can run containers for real"), !failed, "{said}");
    let kernel = rustix::system::uname().release().to_string_lossy().into_owned();
    assert!(checks[0].contains(&kernel), "{said}");
    assert!(left.is_empty(), "the trials left {left:?}");
}

#[test]
fn it_speaks_korean_in_columns_and_starts_no_daemon() {
    let (_, said, left) = doctor("ko");
    let daemon = said.lines().find(|line| line.contains("데몬")).unwrap();
    assert!(daemon.starts_with("주의") && daemon.contains("learn.sock"), "{said}");
    for line in said.lines().filter(|line| line.starts_with("정상")) {
        // Two columns a syllable: the name begins where it does in every line.
        assert!(line.starts_with("정상   "), "{line}");
    }
    assert!(left.is_empty(), "{left:?}");
}
