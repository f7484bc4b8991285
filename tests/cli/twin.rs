//! What docker CLI 28 printed, refused and sent, over answers that never change, and what `learn`
//! does for the same words: byte for byte.
//!
//! `LEARN_RECORD=1 cargo test --test cli twin` asks the docker CLI again.

use super::canned::Canned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::process::Command;

const ENGINE: &str = include_str!("recorded/engine.json");
const FORMATS: &str = include_str!("recorded/formats.json");
const REFUSALS: &str = include_str!("recorded/refusals.json");
const BODIES: &str = include_str!("recorded/bodies.json");

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
    let recorded: Vec<Said> = serde_json::from_str(FORMATS).expect("recorded answers");
    if std::env::var_os("LEARN_RECORD").is_some() {
        return record(&engine, "formats", &recorded);
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

#[test]
fn refusals_are_dockers_word_for_word() {
    let engine = Canned::from(ENGINE);
    let recorded: Vec<Said> = serde_json::from_str(REFUSALS).expect("recorded answers");
    if std::env::var_os("LEARN_RECORD").is_some() {
        return record(&engine, "refusals", &recorded);
    }
    let learn = env!("CARGO_BIN_EXE_learn");
    let mut differing = Vec::new();
    for docker in recorded {
        let mut learn = say(&engine, learn, &docker.words);
        // What it may have meant is learn's own.
        if let Some((before, _)) = learn.stderr.split_once("\n\nDid you mean") {
            let rest = learn.stderr.split_once("\n\nUsage:").map(|(_, usage)| format!("\n\nUsage:{usage}"));
            learn.stderr = before.to_owned() + &rest.unwrap_or_else(|| "\n".to_owned());
        }
        // Help is in the learner's words.
        let is_help =
            docker.code == 0 && docker.stdout.starts_with("Usage:") && learn.stdout.contains("Usage:");
        let stderr = docker.stderr.replace("docker", "learn");
        if learn.code != docker.code || learn.stderr != stderr || !is_help && learn.stdout != docker.stdout {
            differing.push(format!("learn  {learn:?}\ndocker {docker:?}"));
        }
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

/// A command line and the body of the request it made.
#[derive(Serialize, Deserialize)]
struct Sent {
    words: Vec<String>,
    body: Value,
}

#[test]
fn create_sends_what_docker_sends() {
    let engine = Canned::from(ENGINE);
    let mut recorded: Vec<Sent> = serde_json::from_str(BODIES).expect("recorded bodies");
    let recording = std::env::var_os("LEARN_RECORD").is_some();
    let mut differing = Vec::new();
    for sent in &mut recorded {
        let program = if recording { "docker" } else { env!("CARGO_BIN_EXE_learn") };
        let said = say(&engine, program, &sent.words);
        let body = engine
            .take()
            .iter()
            .find(|asked| asked.line.contains("/create"))
            .map(|asked| serde_json::from_slice::<Value>(&asked.body).expect("a JSON body"));
        let body = meant(body.unwrap_or_default()).unwrap_or_default();
        if recording {
            sent.body = body;
        } else if body != sent.body {
            differing
                .push(format!("{:?} {:?}\nlearn  {body}\ndocker {}", sent.words, said.stderr, sent.body));
        }
    }
    if recording {
        write("bodies", &recorded);
    }
    assert!(differing.is_empty(), "{} differ:\n{}", differing.len(), differing.join("\n"));
}

/// A body without what says nothing: null, false, zero and empty, which Go's encoder writes or
/// leaves out by the field.
fn meant(value: Value) -> Option<Value> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::String(text) => (!text.is_empty()).then_some(Value::String(text)),
        Value::Array(items) if items.iter().all(|item| item == &Value::from(0)) => None,
        Value::Object(fields) => {
            // What is exposed or mounted without a word more is there all the same.
            let kept = fields.into_iter().filter_map(|(key, value)| {
                let bare = key.contains('/') && value == Value::Object(Map::new());
                if bare { Some((key, value)) } else { meant(value).map(|value| (key, value)) }
            });
            let kept: Map<String, Value> = kept.collect();
            (!kept.is_empty()).then_some(Value::Object(kept))
        }
        other => Some(other),
    }
}

fn record(engine: &Canned, name: &str, recorded: &[Said]) {
    let said = recorded.iter().map(|one| say(engine, "docker", &one.words));
    write(name, &said.collect::<Vec<_>>());
}

fn write(name: &str, records: &[impl Serialize]) {
    let lines: Vec<String> = records.iter().map(|one| serde_json::to_string(one).expect("JSON")).collect();
    let path = format!("{}/tests/cli/recorded/{name}.json", env!("CARGO_MANIFEST_DIR"));
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).expect("a file");
}
