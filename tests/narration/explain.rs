//! `learn explain` and `learn trace`.

use super::{options, trace};
use learn::cli::explain::{Cause, Subject, explain_trace, meaning, verdict};
use learn::cli::render::{Depth, Shared};
use learn::cli::trace as traces;
use learn::op::ProcessOp;
use learn::text::Lang;
use learn::trace::{Note, Record, Scope, TraceInfo, file};

fn info() -> TraceInfo {
    TraceInfo {
        id: "0123456789ab".into(),
        title: "learn run hello-world".into(),
        began: "2026-01-02T03:04:05.678Z".into(),
        simulated: false,
    }
}

/// A container that ends by `signal`, with or without a request that sent one.
fn ended(scope: Option<Scope>, sent: &str, signal: &str, oom: bool, code: u8) -> Vec<Record> {
    let mut b = trace::Builder::new();
    if let Some(scope) = scope {
        b.within(scope, trace::SHORT, |b| b.op(ProcessOp::Signal { pid: 4711, signal: sent.into() }));
    }
    b.note(Note::Exited, [("code", &code), ("signal", &signal), ("oom", &oom)]);
    b.records
}

#[test]
fn the_cause_is_the_one_the_trace_proves() {
    let cause = |records: &[Record]| verdict(records).map(|verdict| (verdict.code, verdict.cause));
    let kill = || "SIGKILL".to_owned();
    assert_eq!(cause(&ended(None, "", "SIGKILL", true, 137)), Some((137, Cause::OutOfMemory)));
    let stop = Some(Scope::ContainerStop);
    assert_eq!(cause(&ended(stop, "SIGTERM", "SIGKILL", false, 137)), Some((137, Cause::StopTimeout)));
    assert_eq!(cause(&ended(stop, "SIGTERM", "15", false, 143)), Some((143, Cause::Stop("SIGTERM".into()))));
    let by_kill = ended(Some(Scope::ContainerKill), "SIGKILL", "9", false, 137);
    assert_eq!(cause(&by_kill), Some((137, Cause::Kill(kill()))));
    assert_eq!(cause(&ended(None, "", "SIGKILL", false, 137)), Some((137, Cause::Signal(kill()))));
    assert_eq!(cause(&ended(None, "", "", false, 137)), Some((137, Cause::Own)));
    assert_eq!(cause(&trace::hello_world_cold()), Some((0, Cause::Success)));
    assert!(matches!(cause(&trace::hello_world_ls()), Some((127, Cause::NotFound(_)))));
    assert_eq!(cause(&trace::hello_world_cached()[..20]), None);
}

#[test]
fn an_image_that_cannot_be_had_is_refused_with_the_innermost_error() {
    let mut b = trace::Builder::new();
    let lookup = "no such image";
    b.ended(Scope::Request, "POST /containers/create", Some(lookup), |_| {});
    b.ended(Scope::ImagePull, "nope", Some("pull failed: manifest unknown"), |b| {
        b.ended(Scope::ManifestResolve, "nope", Some("manifest unknown"), |_| {});
    });
    let verdict = verdict(&b.records).unwrap();
    assert_eq!((verdict.code, verdict.cause), (125, Cause::Refused("manifest unknown".into())));
}

#[test]
fn every_code_has_a_meaning_in_both_languages() {
    for lang in Lang::ALL {
        for code in 0..=255 {
            let meaning = meaning(lang, code);
            assert!(!meaning.contains('{') && !meaning.starts_with("exit."), "{code}: {meaning}");
        }
        assert!(meaning(lang, 139).contains("SIGSEGV"));
    }
}

#[test]
fn an_argument_is_a_code_a_trace_or_refused() {
    assert_eq!("last".parse::<Subject>().unwrap(), Subject::Last);
    assert_eq!("137".parse::<Subject>().unwrap(), Subject::Code(137));
    assert_eq!("01ab".parse::<Subject>().unwrap(), Subject::Trace("01ab".into()));
    assert!("300".parse::<Subject>().is_err() && "xyz".parse::<Subject>().is_err());
}

#[test]
fn a_trace_is_explained_with_its_own_cause() {
    for lang in Lang::ALL {
        let out = Shared::default();
        let records = trace::hello_world_ls();
        explain_trace(options(lang, Depth::Stage), &info(), &records, Box::new(out.clone())).unwrap();
        let told = String::from_utf8(out.take()).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
        settings.set_prepend_module_to_snapshot(false);
        settings.set_omit_expression(true);
        settings.bind(|| insta::assert_snapshot!(format!("explain-ls-{lang}"), told));
    }
}

#[test]
fn an_exported_trace_reads_back_and_is_not_overwritten() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let records = trace::hello_world_cold();
    traces::export(&info(), records.clone(), &path).unwrap();
    assert_eq!(file::read(&path).unwrap(), (info(), records.clone()));
    assert!(traces::export(&info(), records, &path).is_err());
}

#[test]
fn traces_are_listed_in_aligned_columns() {
    let mut out = Vec::new();
    let simulated = TraceInfo { id: "ffffffffffff".into(), simulated: true, ..info() };
    traces::list(Lang::Ko, &[info(), simulated], &mut out).unwrap();
    let told = String::from_utf8(out).unwrap();
    let expected = "기록           시작                  명령\n\
                    0123456789ab   2026-01-02 03:04:05   learn run hello-world\n\
                    ffffffffffff   2026-01-02 03:04:05   [시뮬레이션] learn run hello-world\n";
    assert_eq!(told, expected);
}

/// The program itself, with no daemon anywhere and no setting of the machine's.
fn learn(words: &[&str]) -> (String, String, Option<i32>) {
    let directory = tempfile::tempdir().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_learn"))
        .args(words)
        .env_clear()
        .env("LEARN_ROOT", directory.path())
        .env("LEARN_HOST", format!("unix://{}/learn.sock", directory.path().display()))
        .env("LANG", "ko_KR.UTF-8")
        .output()
        .unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}

#[test]
fn an_exported_trace_replays_without_a_daemon_in_the_language_of_the_locale() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    let records = trace::hello_world_cold();
    traces::export(&info(), records.clone(), &path).unwrap();
    let (told, errors, code) = learn(&["trace", "replay", path.to_str().unwrap(), "--explain=story"]);
    assert_eq!((told, code), (super::tell(options(Lang::Ko, Depth::Story), &records), Some(0)), "{errors}");
}

#[test]
fn a_malformed_trace_is_named_by_file_line_and_what_belongs_there() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("run.jsonl");
    traces::export(&info(), trace::hello_world_cold(), &path).unwrap();
    let broken = std::fs::read_to_string(&path).unwrap().replacen("\"seq\":1,", "\"sequence\":1,", 1);
    std::fs::write(&path, broken).unwrap();
    let (_, errors, code) = learn(&["trace", "replay", path.to_str().unwrap()]);
    assert!(errors.contains("run.jsonl:3: expected a record"), "{errors}");
    assert_ne!(code, Some(0));
}

#[test]
fn an_exit_code_is_explained_without_a_daemon() {
    let (told, errors, code) = learn(&["explain", "137"]);
    assert!(told.contains("종료 코드 137") && told.contains("SIGKILL"), "{told}{errors}");
    assert_eq!(code, Some(0));
}
