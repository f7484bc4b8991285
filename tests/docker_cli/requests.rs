//! `docker run` and `learn run` make the same requests in the same order.

use super::Docker;
use super::live::said;
use super::proxy::Proxy;
use std::process::Output;

/// Runs a client through a proxy; gives its output and the requests it made.
fn recorded(docker: &Docker, proxy: &Proxy, program: &str, words: &[&str]) -> (Output, Vec<String>) {
    let learn = env!("CARGO_BIN_EXE_learn");
    let program = if program == "learn" { learn } else { program };
    let mut command = docker.live.command(program, words);
    let output = command.env("DOCKER_HOST", proxy.host()).env("LEARN_HOST", proxy.host()).output();
    (output.expect("it runs"), proxy.take())
}

/// The same words to both clients; both make exactly these requests.
fn both(docker: &Docker, proxy: &Proxy, words: &[&str], code: i32, expected: &[&str]) {
    for program in ["docker", "learn"] {
        let (output, made) = recorded(docker, proxy, program, words);
        assert_eq!(output.status.code(), Some(code), "{program} {words:?}: {}", said(&output));
        assert_eq!(made, expected, "{program} {words:?}");
    }
}

const PING: &str = "HEAD /_ping 200";
const CREATE: &str = "POST /containers/create 201";
const ATTACH: &str = "POST /containers/{id}/attach?stderr=1&stdout=1&stream=1 101";
const START: &str = "POST /containers/{id}/start 204";

#[test]
fn a_run_creates_attaches_waits_and_starts() {
    let Some(docker) = Docker::new() else { return };
    let proxy = Proxy::before(&docker.live);
    let next_exit = "POST /containers/{id}/wait?condition=next-exit 200";
    let removed = "POST /containers/{id}/wait?condition=removed 200";
    let attach_input = "POST /containers/{id}/attach?stderr=1&stdin=1&stdout=1&stream=1 101";
    both(&docker, &proxy, &["run", "alpine", "true"], 0, &[PING, CREATE, ATTACH, next_exit, START]);
    both(&docker, &proxy, &["run", "--rm", "alpine", "true"], 0, &[PING, CREATE, ATTACH, removed, START]);
    let words = ["run", "-i", "--rm", "alpine", "cat"];
    both(&docker, &proxy, &words, 0, &[PING, CREATE, attach_input, removed, START]);
    both(&docker, &proxy, &["run", "-d", "alpine", "true"], 0, &[PING, CREATE, next_exit, START]);
}

#[test]
fn an_image_that_is_missing_is_pulled_between_two_creates() {
    let Some(docker) = Docker::new() else { return };
    let proxy = Proxy::before(&docker.live);
    for program in ["docker", "learn"] {
        docker.ok(&["rmi", "hello-world"]);
        let (output, made) = recorded(&docker, &proxy, program, &["run", "--rm", "hello-world"]);
        assert!(output.status.success(), "{program}: {}", said(&output));
        let expected = [
            PING,
            "POST /containers/create 404",
            "POST /images/create?fromImage=docker.io/library/hello-world&tag=latest 200",
            CREATE,
            ATTACH,
            "POST /containers/{id}/wait?condition=removed 200",
            START,
        ];
        let made: Vec<String> = made.iter().map(|line| line.replace("%2F", "/")).collect();
        assert_eq!(made, expected, "{program}");
    }
}

#[test]
fn small_verbs_make_one_request() {
    let Some(docker) = Docker::new() else { return };
    let proxy = Proxy::before(&docker.live);
    both(&docker, &proxy, &["ps", "-a"], 0, &[PING, "GET /containers/json?all=1 200"]);
    both(&docker, &proxy, &["images"], 0, &[PING, "GET /images/json 200"]);
    both(&docker, &proxy, &["rm", "nosuch"], 1, &[PING, "DELETE /containers/nosuch 404"]);
    both(
        &docker,
        &proxy,
        &["kill", "-s", "TERM", "nosuch"],
        1,
        &[PING, "POST /containers/nosuch/kill?signal=TERM 404"],
    );
    both(&docker, &proxy, &["stop", "-t", "1", "nosuch"], 1, &[PING, "POST /containers/nosuch/stop?t=1 404"]);
    both(&docker, &proxy, &["wait", "nosuch"], 1, &[PING, "POST /containers/nosuch/wait 404"]);
    both(&docker, &proxy, &["rmi", "nosuch:img"], 1, &[PING, "DELETE /images/nosuch:img 404"]);
    docker.ok(&["create", "--name", "later", "alpine", "true"]);
    both(
        &docker,
        &proxy,
        &["start", "-a", "later"],
        0,
        &[
            PING,
            "GET /containers/later/json 200",
            "POST /containers/{id}/attach?stderr=1&stdout=1&stream=1 101",
            "POST /containers/{id}/wait?condition=next-exit 200",
            "POST /containers/{id}/start 204",
        ],
    );
}
