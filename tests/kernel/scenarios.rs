//! The scenarios: what is run, how it must end, and that both kernels tell it alike.

use crate::drive::{Asked, Ended, Run, run};
use crate::hub::Layers;
use crate::normal::{difference, lines};
use crate::worlds::both;
use learn::hub::hello;
use learn::trace::{Event, Scope};

/// What is run, where, and after what.
#[derive(Clone, Copy, Default)]
pub struct Scenario {
    pub asked: Asked,
    /// Run before, untraced: what is in the store then.
    pub before: &'static [&'static str],
    pub layers: Layers,
    /// On a machine without overlayfs.
    pub without_overlay: bool,
}

impl Scenario {
    /// Runs on both sides, simulator first, and compares.
    pub async fn play(self) -> [Run; 2] {
        let mut runs = Vec::new();
        let mut told = Vec::new();
        for world in &both(self.layers, self.without_overlay).await {
            for image in self.before {
                run(world, Asked { image, apart: true, ..Asked::default() }).await;
            }
            let run = run(world, self.asked).await;
            told.push(lines(world, &run));
            runs.push(run);
        }
        if let Some(difference) = difference(&told[0], &told[1]) {
            panic!("{difference}");
        }
        runs.try_into().expect("two sides")
    }
}

/// Plays a scenario and gives how it ended, which is the same on both sides but for the id.
pub fn ended(scenario: Scenario) -> (Ended, Run) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let [sim, linux] = runtime.expect("a runtime").block_on(scenario.play());
    let without_id = |ended: &Ended| Ended { id: None, ..ended.clone() };
    assert_eq!(without_id(&sim.ended), without_id(&linux.ended));
    (linux.ended.clone(), linux)
}

/// An image and a command on new machines.
pub fn of(image: &'static str, command: &'static [&'static str]) -> Scenario {
    Scenario { asked: Asked { image, command, ..Asked::default() }, ..Scenario::default() }
}

fn exited(code: i64) -> Option<(String, i64)> {
    Some(("exited".into(), code))
}

#[test]
fn hello_world_for_the_first_time() {
    if !crate::able() {
        return;
    }
    let (ended, run) = ended(of("hello-world", &[]));
    assert_eq!((ended.code, ended.left, ended.error), (Some(0), exited(0), None));
    assert_eq!(ended.output, hello::MESSAGE);
    for scope in [Scope::LayerUnpack, Scope::ProcessExec, Scope::LimitsRelease] {
        assert!(opened(&run, scope), "{scope:?}");
    }
}

#[test]
fn hello_world_again_asks_no_registry() {
    if !crate::able() {
        return;
    }
    let (ended, run) = ended(Scenario { before: &["hello-world"], ..of("hello-world", &[]) });
    assert_eq!((ended.code, ended.left), (Some(0), exited(0)));
    let asked = run
        .records
        .iter()
        .filter(|record| matches!(&record.event, Event::Did { op, .. } if op == "http.request"));
    assert_eq!(asked.count(), 0);
}

#[test]
fn alpine_lists_its_directories() {
    if !crate::able() {
        return;
    }
    let (ended, _) = ended(of("alpine", &["ls"]));
    assert_eq!((ended.code, ended.left), (Some(0), exited(0)));
    assert_eq!(ended.output.lines().count(), 17, "{}", ended.output);
}

#[test]
fn a_program_the_image_does_not_have_leaves_the_container_created() {
    if !crate::able() {
        return;
    }
    let (ended, _) = ended(of("hello-world", &["ls"]));
    assert_eq!((ended.code, ended.left), (None, Some(("created".into(), 127))));
    assert!(ended.error.unwrap().contains("exec: \"ls\": executable file not found in $PATH"));
}

#[test]
fn an_image_nobody_has_makes_no_container() {
    if !crate::able() {
        return;
    }
    let (ended, _) = ended(of("nosuch", &[]));
    assert_eq!((ended.id, ended.left), (None, None));
    assert!(ended.error.unwrap().contains("pull access denied for nosuch"));
}

#[test]
fn a_layer_that_is_not_what_was_promised_is_not_kept() {
    if !crate::able() {
        return;
    }
    let (ended, run) = ended(Scenario { layers: Layers::Altered, ..of("hello-world", &[]) });
    assert_eq!((ended.id, ended.left), (None, None));
    let error = ended.error.unwrap();
    assert!(error.contains("sha256:"), "{error}");
    assert!(opened(&run, Scope::Rollback), "what was unpacked is taken back");
}

fn opened(run: &Run, wanted: Scope) -> bool {
    run.records.iter().any(|record| matches!(record.event, Event::Opened { kind, .. } if kind == wanted))
}

/// Aborts before `scope`; nothing of the container stays.
fn aborted_before(scope: Scope) -> Run {
    let asked = Asked { image: "hello-world", abort: Some(scope), ..Asked::default() };
    let (ended, run) = ended(Scenario { asked, ..Scenario::default() });
    assert_eq!((ended.code, ended.left), (None, None), "{scope:?}");
    assert!(ended.error.unwrap().contains("aborted"), "{scope:?}");
    run
}

#[test]
fn an_abort_in_the_daemon_is_undone() {
    if !crate::able() {
        return;
    }
    for scope in [Scope::LayerUnpack, Scope::SnapshotPrepare, Scope::ShimSpawn] {
        aborted_before(scope);
    }
}

#[test]
fn an_abort_in_the_shim_and_in_init_is_undone() {
    if !crate::able() {
        return;
    }
    for scope in [Scope::NamespacesEnter, Scope::LimitsJoin, Scope::RootfsPivot, Scope::ProcessExec] {
        let run = aborted_before(scope);
        assert!(opened(&run, Scope::Rollback), "{scope:?}");
    }
}
