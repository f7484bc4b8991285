//! What docker CLI 28 printed for some three hundred templates, over answers that never change,
//! and what `learn` prints for them: byte for byte.
//!
//! `LEARN_RECORD=1 cargo test --test cli formats` asks the docker CLI again.

use super::canned::Canned;
use serde::{Deserialize, Serialize};
use std::process::Command;

const ENGINE: &str = include_str!("recorded/engine.json");
const RECORDED: &str = include_str!("recorded/formats.json");

/// A command line and what came of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Said {
    words: Vec<String>,
    code: i32,
    stdout: String,
    stderr: String,
}

fn say(engine: &Canned, program: &str, words: &[String]) -> Said {
    let output = Command::new(program)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", engine.home())
        .env("DOCKER_HOST", engine.host())
        .env("LEARN_HOST", engine.host())
        .env("LEARN_ROOT", engine.directory().join("root"))
        .env("LEARN_LANG", "en")
        .env("TZ", "UTC")
        .args(words)
        .output()
        .expect("it runs");
    Said {
        words: words.to_vec(),
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn formats_print_what_docker_prints() {
    let engine = Canned::from(ENGINE);
    let recorded: Vec<Said> = serde_json::from_str(RECORDED).expect("recorded answers");
    if std::env::var_os("LEARN_RECORD").is_some() {
        return record(&engine, &recorded);
    }
    let learn = env!("CARGO_BIN_EXE_learn");
    let differing: Vec<(Said, Said)> = recorded
        .into_iter()
        .map(|docker| (say(&engine, learn, &docker.words), docker))
        .filter(|(learn, docker)| timeless(learn) != timeless(docker))
        .collect();
    let shown: Vec<String> =
        differing.iter().map(|(learn, docker)| format!("learn  {learn:?}\ndocker {docker:?}")).collect();
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), shown.join("\n"));
}

/// Ages grow: where there is one, its number and the spaces after it do not count.
fn timeless(said: &Said) -> Said {
    let stdout = match said.stdout.contains(" years ago") {
        false => said.stdout.clone(),
        true => {
            let words: Vec<&str> = said.stdout.split(' ').filter(|word| !word.is_empty()).collect();
            let is_age = |place: usize| words.get(place + 1).is_some_and(|next| next.starts_with("years"));
            let kept = words.iter().enumerate().map(|(place, word)| match is_age(place) {
                true => word.trim_end_matches(|char: char| char.is_ascii_digit()),
                false => word,
            });
            kept.collect::<Vec<_>>().join(" ")
        }
    };
    Said { stdout, ..said.clone() }
}

fn record(engine: &Canned, recorded: &[Said]) {
    let said = recorded.iter().map(|one| say(engine, "docker", &one.words));
    let lines: Vec<String> = said.map(|one| serde_json::to_string(&one).expect("JSON")).collect();
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cli/recorded/formats.json");
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("a file");
}
