//! Lesson scripts: the embedded ones are sound, and the linter says what is wrong with others.

use learn::lesson::script::{ids, load, read};

const GOOD: &str = r#"schema: 1
id: t
title: { ko: "제목", en: "title" }
mirrors: [{ note: n.txt, head: "머리" }]
runs: [learn run hello-world]
steps:
  - stage: process.exec
    say: { ko: "{pid:이/가} 실행됩니다", en: "{pid} runs" }
    evidence: [running]
    predict:
      ask: { ko: "무엇일까요?", en: "what?" }
      choices: [{ ko: "하나", en: "one" }, { ko: "둘", en: "two" }]
      answer: 2
      because: { ko: "그래서입니다.", en: "because" }
checks: [{ check: image-present, image: hello-world }]
"#;

#[test]
fn every_embedded_lesson_loads_and_lints() {
    let ids = ids();
    assert!(ids.contains(&"04-hello-world-first-run".to_owned()), "{ids:?}");
    for id in ids {
        let lesson = load(&id).unwrap().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(lesson.id.value, id);
    }
    assert!(load("99-nothing").is_none());
}

#[test]
fn a_sound_script_is_accepted() {
    read("lessons/t/lesson.yaml", GOOD).unwrap();
}

#[test]
fn each_fault_is_named_with_file_and_line() {
    let faults = [
        ("schema: 1", "schema: 9", 1, "schema 1"),
        ("id: t", "id: u", 2, "\"t\""),
        ("title: { ko: \"제목\", en: \"title\" }", "title: { ko: \"제목\" }", 3, "en"),
        ("stage: process.exec", "stage: process.exek", 7, "process.exek"),
        ("en: \"{pid} runs\"", "en: \"it runs\"", 8, "same placeholders"),
        ("{pid} runs", "{pidd} runs", 8, "{pidd}"),
        ("[running]", "[runing]", 9, "runing"),
        ("answer: 2", "answer: 3", 13, "from 1 to 2"),
        ("check: image-present", "check: image-absent", 15, "image-absent"),
        ("runs: [", "comands: [", 5, "comands"),
    ];
    for (right, wrong, line, expected) in faults {
        assert!(GOOD.contains(right), "{right}");
        let error = read("lessons/t/lesson.yaml", &GOOD.replace(right, wrong)).unwrap_err().to_string();
        let place = format!("lessons/t/lesson.yaml:{line}:");
        assert!(error.starts_with(&place) && error.contains(expected), "{wrong}: {error}");
    }
}
