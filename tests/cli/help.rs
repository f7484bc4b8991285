//! `--help`, in two languages.

use crate::{alone, learn, snapshot, stdout};
use learn::cli::help;
use learn::text::Lang;
use std::path::Path;

#[test]
fn every_verb_and_option_has_a_sentence_in_both_languages() {
    let sentences = help::sentences();
    let missing: Vec<_> = help::needed()
        .into_iter()
        .filter(|(verb, option)| match option {
            None => !sentences.verbs.contains_key(verb),
            Some(option) => {
                let own = sentences.options.get(verb).is_some_and(|options| options.contains_key(option));
                !own && !sentences.everywhere.contains_key(option)
            }
        })
        .collect();
    assert!(missing.is_empty(), "lessons/help.yaml lacks {missing:?}");
}

#[test]
fn help_reads_alike_in_both_languages() {
    for (lang, code) in [(Lang::Ko, "ko"), (Lang::En, "en")] {
        for path in
            ["learn", "learn run", "learn ps", "learn container rm", "learn daemon", "learn trace show"]
        {
            snapshot(&format!("help-{}-{code}", path.replace(' ', "-")), &help::render(path, lang));
        }
    }
}

#[test]
fn help_goes_to_standard_output_and_succeeds() {
    for words in [&["--help"][..], &["run", "--help"], &["-h"], &["ps", "-h"], &["container"], &[]] {
        let output = alone(words);
        assert!(output.status.success(), "{words:?}");
        assert!(stdout(&output).starts_with("Usage:  learn"), "{words:?}: {}", stdout(&output));
        assert!(output.stderr.is_empty(), "{words:?}");
    }
}

#[test]
fn the_language_flag_counts_for_help_too() {
    let output = alone(&["run", "--help", "--lang", "ko"]);
    assert!(stdout(&output).starts_with("사용법:"), "{}", stdout(&output));
    let mut command = learn("unix:///x", Path::new("/x"), &["run", "--help"]);
    let output = command.env_remove("LEARN_LANG").env("LANG", "ko_KR.UTF-8").output().unwrap();
    assert!(stdout(&output).starts_with("사용법:"));
}
