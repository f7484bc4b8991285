//! What is wrong with a command line is said before any request, in Docker's words.

use crate::{alone, learn, seen, snapshot, stderr};
use std::path::Path;

#[test]
fn malformed_command_lines_fail_in_dockers_words() {
    let lines: &[&[&str]] = &[
        &["run"],
        &["run", "--nosuch", "alpine"],
        &["run", "--rm", "-zq", "alpine"],
        &["run", "--name"],
        &["run", "--pull", "often", "alpine"],
        &["run", "--ulimit", "files=1", "alpine"],
        &["run", "--stop-timeout", "soon", "alpine"],
        &["run", "--network", "web", "alpine"],
        &["run", "--security-opt", "apparmor=x", "alpine"],
        &["run", "UPPER"],
        &["run", "alpine", "--explain=deep"],
        &["create", "--env-file", "/nonexistent", "alpine"],
        &["nosuch"],
        &["container", "nosuch"],
        &["ps", "x"],
        &["ps", "-f", "status"],
        &["logs"],
        &["logs", "a", "b"],
        &["rm"],
        &["pull", "a:b:c d"],
        &["images", "a", "b"],
        &["logs", "--since", "yesterday", "x"],
    ];
    let mut text = String::new();
    for line in lines {
        text.push_str(&format!("$ learn {}\n{}\n", line.join(" "), seen(&alone(line))));
    }
    snapshot("usage-errors", &text);
}

#[test]
fn flags_docker_has_and_learn_has_not_are_refused_by_name() {
    let mut text = String::new();
    for flag in ["-t", "-v=/a:/b", "-p", "--memory=1g", "--init", "--userns=host", "-a", "--gpus=all"] {
        for lang in ["ko", "en"] {
            let output = alone(&["--lang", lang, "run", flag, "alpine"]);
            assert_eq!(output.status.code(), Some(125), "{flag}");
            text.push_str(&stderr(&output));
        }
    }
    snapshot("refused-flags", &text);
}

#[test]
fn two_letters_in_one_word_are_refused_by_the_letter_that_is_missing() {
    let text = stderr(&alone(&["run", "-it", "alpine"]));
    assert!(text.starts_with("flag not supported: -t, --tty: "), "{text}");
}

#[test]
fn stepping_without_a_terminal_is_an_error() {
    let output = alone(&["run", "hello-world", "--step"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stderr(&output).contains("needs a terminal"), "{}", stderr(&output));
    let korean = alone(&["run", "hello-world", "--step", "--lang", "ko"]);
    assert!(stderr(&korean).contains("터미널이어야"), "{}", stderr(&korean));
}

#[test]
fn an_option_a_verb_could_only_ignore_is_refused() {
    for words in
        [&["daemon", "status", "--explain"][..], &["trace", "ls", "--step"], &["explain", "1", "--simulate"]]
    {
        let output = alone(words);
        assert_eq!(output.status.code(), Some(125), "{words:?}");
        assert!(stderr(&output).starts_with("flag not supported: --"), "{words:?}: {}", stderr(&output));
    }
}

#[test]
fn other_schemes_are_refused() {
    let output = learn("tcp://127.0.0.1:2375", Path::new("/x"), &["ps"]).output().unwrap();
    assert_eq!(
        stderr(&output),
        "unsupported host \"tcp://127.0.0.1:2375\": learn speaks unix:// only, not tcp://\n"
    );
    assert_eq!(output.status.code(), Some(1));
}
