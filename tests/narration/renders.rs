//! The displays.

use super::{options, tell, trace};
use learn::cli::render::{ColorChoice, Depth, Narrator, Options, Shared};
use learn::cli::watch::Watch;
use learn::op::{FsOp, WriteReason};
use learn::text::{Lang, width};
use learn::trace::{Event, Note, Record, Scope, Sighting, TraceInfo};
use std::sync::Arc;

const DEPTHS: [(Depth, &str); 3] =
    [(Depth::Story, "story"), (Depth::Stage, "stage"), (Depth::Kernel, "kernel")];

fn settings() -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

#[test]
fn hello_world_is_told_in_three_depths_and_two_languages() {
    for lang in Lang::ALL {
        for (depth, name) in DEPTHS {
            let told = tell(options(lang, depth), &trace::hello_world_cold());
            settings().bind(|| insta::assert_snapshot!(format!("narration-cold-{name}-{lang}"), told));
        }
    }
}

#[test]
fn a_cached_run_and_a_missing_program_are_told() {
    for lang in Lang::ALL {
        let cached = tell(options(lang, Depth::Story), &trace::hello_world_cached());
        settings().bind(|| insta::assert_snapshot!(format!("narration-cached-story-{lang}"), cached));
        let failed = tell(options(lang, Depth::Stage), &trace::hello_world_ls());
        settings().bind(|| insta::assert_snapshot!(format!("narration-ls-stage-{lang}"), failed));
    }
}

#[test]
fn no_line_is_wider_than_the_terminal_but_for_commands_and_what_cannot_break() {
    for columns in [60, 80, 100] {
        for lang in Lang::ALL {
            for (depth, name) in DEPTHS {
                let told =
                    tell(Options { width: columns, ..options(lang, depth) }, &trace::hello_world_cold());
                for line in told.lines().filter(|line| width(line) > columns) {
                    let is_command = line.contains("  ")
                        && ["확인", "see", "명령", "do"]
                            .iter()
                            .any(|label| line.trim_start().starts_with(&format!("{label} ")));
                    let longest = line.split(' ').map(width).max().unwrap_or(0);
                    let unbreakable = line.trim_start().split(' ').filter(|w| !w.is_empty()).count() <= 2;
                    assert!(
                        is_command || (unbreakable && longest > columns / 2),
                        "{name} {lang} at {columns}: {line:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn colour_only_repeats_what_the_words_say() {
    for (depth, _) in DEPTHS {
        let records = trace::hello_world_cold();
        let plain = tell(options(Lang::Ko, depth), &records);
        let coloured = tell(Options { color: true, ..options(Lang::Ko, depth) }, &records);
        assert!(!plain.contains('\x1b') && coloured.contains("\x1b[1m"));
        let mut stripped = String::new();
        for (index, piece) in coloured.split("\x1b[").enumerate() {
            stripped.push_str(if index == 0 { piece } else { piece.split_once('m').unwrap().1 });
        }
        assert_eq!(stripped, plain);
    }
}

#[test]
fn colour_follows_the_flag_then_no_color_then_the_terminal() {
    let setting =
        |key: &'static str, value: &'static str| move |name: &str| (name == key).then(|| value.to_owned());
    assert!(ColorChoice::Auto.decide(true, setting("TERM", "xterm")));
    assert!(!ColorChoice::Auto.decide(false, setting("TERM", "xterm")));
    assert!(!ColorChoice::Auto.decide(true, setting("NO_COLOR", "1")));
    assert!(ColorChoice::Auto.decide(true, setting("NO_COLOR", "")));
    assert!(!ColorChoice::Auto.decide(true, setting("TERM", "dumb")));
    assert!(ColorChoice::Always.decide(false, setting("NO_COLOR", "1")));
    assert!(!ColorChoice::Never.decide(true, setting("TERM", "xterm")));
}

#[test]
fn a_simulated_trace_wears_its_badge_before_anything_else() {
    for (lang, badge) in [(Lang::Ko, "[시뮬레이션]"), (Lang::En, "[simulated]")] {
        let options = Options { simulated: true, ..options(lang, Depth::Story) };
        assert!(tell(options, &trace::hello_world_cold()).starts_with(badge));
        assert!(!tell(super::options(lang, Depth::Story), &trace::hello_world_cold()).contains(badge));
    }
}

#[test]
fn layers_fetched_side_by_side_are_told_one_after_the_other() {
    let told = tell(options(Lang::En, Depth::Stage), &trace::hello_world_cold());
    let at = |words: &str| told.find(words).unwrap_or_else(|| panic!("{words} in {told}"));
    let (first, second) = (at("sha256:bbbbbbbbbbbb…\n"), at("A layer is fetched · sha256:eeee"));
    assert!(first < at("bytes 10240") && at("bytes 10240") < second && second < at("bytes 2048"));
    assert!(at("bytes 2048") < at("The name is tied to the image"));
}

#[test]
fn a_title_is_on_the_page_before_the_work_is_done() {
    let records = trace::hello_world_cold();
    let out = Shared::default();
    let mut narrator = Narrator::new(options(Lang::En, Depth::Stage), Box::new(out.clone()));
    let exec = |record: &Record| matches!(&record.event, Event::Opened { kind: Scope::ProcessExec, .. });
    let upto = records.iter().position(exec).unwrap();
    records[..=upto].iter().for_each(|record| narrator.record(record));
    assert!(String::from_utf8(out.take()).unwrap().contains("The program takes over the process"));
}

#[test]
fn a_trace_cut_short_says_so() {
    let mut records = trace::hello_world_cold();
    records.truncate(3);
    assert!(tell(options(Lang::En, Depth::Stage), &records).contains("2 pieces of work have no end"));
}

#[test]
fn a_watch_heads_each_change_of_trace_and_counts_what_it_missed() {
    let info = |id: &str| {
        let (id, title) = (id.to_owned(), format!("docker run {id}"));
        Arc::new(TraceInfo { id, title, began: "2026-01-01T00:00:00Z".into(), simulated: false })
    };
    let (one, two) = (info("aaaaaaaaaaaa"), info("bbbbbbbbbbbb"));
    let records = trace::hello_world_cached();
    let out = Shared::default();
    let mut watch = Watch::new(options(Lang::En, Depth::Stage), Box::new(out.clone()));
    for record in &records[..4] {
        watch.sighting(&Sighting { trace: one.clone(), record: record.clone() });
        watch.sighting(&Sighting { trace: two.clone(), record: record.clone() });
    }
    let missed = Record { event: Event::Missed { count: 7 }, ..records[0].clone() };
    watch.sighting(&Sighting { trace: two.clone(), record: missed });
    let told = String::from_utf8(out.take()).unwrap();
    assert!(told.starts_with("== trace aaaaaaaaaaaa · docker run aaaaaaaaaaaa ==\n"), "{told}");
    assert!(told.matches("== trace").count() > 2 && told.contains("7 records were missed"), "{told}");
}

#[test]
fn the_story_tells_a_refusal_but_not_the_miss_that_leads_to_a_pull() {
    let mut b = trace::Builder::new();
    let conflict = "conflict: the name is taken";
    b.ended(Scope::Request, "POST /containers/create", Some(conflict), |b| {
        b.within(Scope::ImageLookup, trace::REFERENCE, |_| {});
        b.ended(Scope::ContainerCreate, "one", Some(conflict), |_| {});
    });
    let told = tell(options(Lang::En, Depth::Story), &b.records);
    assert_eq!(told.matches("failed: conflict").count(), 1, "{told}");
    let cold = tell(options(Lang::En, Depth::Story), &trace::hello_world_cold());
    assert!(!cold.contains("! "), "{cold}");
}

#[test]
fn an_image_that_is_not_here_yet_is_no_failure() {
    let told = tell(options(Lang::En, Depth::Stage), &trace::hello_world_cold());
    let sentence = format!("{} is not here", trace::REFERENCE);
    assert_eq!(told.matches(&sentence).count(), 1, "said once, not again as an error: {told}");
    assert!(!told.contains("failed:") && !told.contains("No such image"), "{told}");
}

#[test]
fn of_many_written_values_a_few_are_shown_and_the_rest_counted() {
    let mut b = trace::Builder::new();
    b.within(Scope::LimitsApply, "/learn/one", |b| {
        for device in 0..9 {
            let path = "/sys/fs/cgroup/devices/learn/devices.allow".to_owned();
            b.op(FsOp::WriteFile { path, value: format!("c 1:{device} rwm"), why: WriteReason::Cgroup });
        }
    });
    let stage = tell(options(Lang::En, Depth::Stage), &b.records);
    assert_eq!(stage.matches("devices.allow = c 1:").count(), 6, "{stage}");
    assert!(stage.contains("3 more values written"), "{stage}");
    let kernel = tell(options(Lang::En, Depth::Kernel), &b.records);
    assert_eq!(kernel.matches("  do    echo").count(), 9, "{kernel}");
}

#[test]
fn a_request_in_which_nothing_is_told_is_one_line_and_the_ping_a_calm_one() {
    let mut b = trace::Builder::new();
    let requests = ["HEAD /_ping", "GET /containers/json", "POST /containers/one/wait"];
    for (request, status) in requests.map(|request| (request, 200)) {
        b.within(Scope::Request, request, |b| {
            b.note(Note::Peer, [("client", &"docker"), ("pid", &7), ("path", &request)]);
            b.note(Note::Answered, [("status", &status)]);
        });
    }
    let told = tell(options(Lang::En, Depth::Stage), &b.records);
    assert!(told.starts_with("- HEAD /_ping -> 200: "), "{told}");
    assert!(told.contains("\n> POST /containers/one/wait -> 200 ("), "{told}");
    // Who asks is told with the first request that is more than a ping, and only there.
    assert_eq!(told.matches("asked by docker").count(), 1, "{told}");
}

#[test]
fn the_network_is_said_to_be_what_it_is() {
    let mut b = trace::Builder::new();
    b.within(Scope::ContainerStart, trace::SHORT, |b| b.note(Note::NetworkMode, [("mode", &"loopback")]));
    let ko = tell(options(Lang::Ko, Depth::Stage), &b.records);
    assert!(ko.contains("네트워크: 루프백(lo)뿐입니다"), "{ko}");
    let en = tell(options(Lang::En, Depth::Stage), &b.records);
    assert!(en.contains("network: loopback (lo) only") && en.contains("A bridge needs root"), "{en}");
}
