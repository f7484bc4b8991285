//! `--explain`: a session beside the requests, told on standard error.

use crate::daemon::{Daemon, Reply, json};
use crate::{against, stderr, stdout};

fn script(records: &str) -> Vec<(&'static str, Reply)> {
    vec![
        ("POST /learn/traces", Reply::Session("abcdef012345", records.to_owned())),
        ("POST /learn/traces/abcdef012345/close", Reply::Plain(204, String::new())),
        ("GET /containers/json", json("[]")),
    ]
}

const RECORDS: &str = concat!(
    r#"{"seq":0,"at":1,"scope":0,"event":"opened","id":1,"kind":"image.pull","about":"alpine:latest"}"#,
    "\n",
    r#"{"seq":1,"at":2,"scope":1,"event":"closed","error":null,"took":1}"#,
    "\n",
);

#[test]
fn the_session_is_opened_followed_written_into_and_closed() {
    let daemon = Daemon::new(&script(RECORDS));
    let output = against(&daemon, &["ps", "--explain=kernel"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).starts_with("CONTAINER ID"));
    assert!(stderr(&output).contains("alpine:latest"), "nothing was told: {:?}", stderr(&output));
    let asked = daemon.asked();
    assert_eq!(asked[0].line, "POST /learn/traces");
    assert_eq!(asked[0].body, r#"{"title":"ps","stop":"never","follow":true}"#);
    let in_session: Vec<&str> =
        asked.iter().filter(|asked| asked.session.is_some()).map(|asked| asked.line.as_str()).collect();
    assert_eq!(in_session, ["HEAD /_ping", "GET /v1.47/containers/json"]);
    assert_eq!(asked.last().unwrap().line, "POST /learn/traces/abcdef012345/close");
}

#[test]
fn without_explain_there_is_no_session() {
    let daemon = Daemon::new(&script(RECORDS));
    against(&daemon, &["ps"]);
    assert!(daemon.asked().iter().all(|asked| asked.session.is_none() && !asked.line.contains("/learn/")));
}

#[test]
fn flags_behind_the_image_are_heard_and_the_title_leaves_them_out() {
    let mut script = script(RECORDS);
    script.extend([
        ("POST /containers/create", Reply::Plain(201, r#"{"Id":"c0ffee"}"#.to_owned())),
        ("POST /containers/c0ffee/attach", Reply::Frames(vec![(1, "hi\n")])),
        ("POST /containers/c0ffee/wait", Reply::AfterStart(r#"{"StatusCode":0}"#.to_owned())),
        ("POST /containers/c0ffee/start", Reply::Plain(204, String::new())),
    ]);
    let daemon = Daemon::new(&script);
    let output = against(&daemon, &["run", "hello-world", "--explain", "--lang", "ko", "echo", "--step"]);
    assert_eq!(stdout(&output), "hi\n", "{}", stderr(&output));
    assert!(daemon.asked()[0].body.starts_with(r#"{"title":"run hello-world echo"#));
    let create = daemon.asked().into_iter().find(|asked| asked.line.contains("create")).unwrap();
    assert!(create.body.contains(r#""Cmd":["echo","--step"]"#), "{}", create.body);
}

#[test]
fn a_daemon_without_sessions_says_so() {
    let daemon = Daemon::new(&[("POST /learn/traces", crate::daemon::error(404, "page not found"))]);
    let output = against(&daemon, &["ps", "--explain"]);
    assert_eq!(stderr(&output), "Error response from daemon: page not found\n");
    assert_eq!(output.status.code(), Some(1));
}
