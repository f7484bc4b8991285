//! Refusals, byte for byte as Docker's daemon words them.

use super::Docker;
use super::live::{said, stderr};

/// What `docker` prints when the daemon refuses: `run` and `create` name the command first.
fn refused(docker: &Docker, words: &[&str], code: i32, message: &str) {
    let output = docker.run(words);
    assert_eq!(output.status.code(), Some(code), "docker {words:?}: {}", said(&output));
    let expected = match words[0] {
        "run" => format!(
            "docker: Error response from daemon: {message}\n\nRun 'docker run --help' for more information\n"
        ),
        _ => format!("Error response from daemon: {message}\n"),
    };
    let told = stderr(&output);
    assert!(told.contains(&expected), "docker {words:?}\nexpected: {expected}\ngot: {told}");
}

/// One line a case; `ID` in a message is the full id of the container `e1`, `SHORT` its first 12
/// digits, `IMAGE` the image's first 12.
fn refusals(docker: &Docker, cases: &[(&[&str], i32, &str)]) {
    let id = docker.ok(&["inspect", "-f", "{{.Id}}", "e1"]).trim_end().to_owned();
    let image = docker.ok(&["images", "-q", "alpine"]).trim_end().to_owned();
    for (words, code, message) in cases {
        let message = message.replace("SHORT", &id[..12]).replace("IMAGE", &image).replace("ID", &id);
        refused(docker, words, *code, &message);
    }
}

const START: &str = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: ";

#[test]
fn a_program_that_cannot_be_executed_is_refused() {
    let Some(docker) = Docker::new() else { return };
    let cases = [
        ("nosuchcmd", 127, "exec: \"nosuchcmd\": executable file not found in $PATH: unknown"),
        ("/no/such", 127, "exec: \"/no/such\": stat /no/such: no such file or directory: unknown"),
        ("/etc/passwd", 126, "exec: \"/etc/passwd\": permission denied: unknown"),
        ("/etc", 126, "exec: \"/etc\": permission denied: unknown"),
    ];
    for (program, code, message) in cases {
        refused(&docker, &["run", "alpine", program], code, &format!("{START}{message}"));
    }
    assert_eq!(docker.ok(&["ps", "-a", "--format", "{{.State}}"]), "created\n".repeat(4));
}

#[test]
fn what_runs_is_neither_removed_nor_taken_the_name_from() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "-d", "--name", "e1", "alpine", "sleep", "1000"]);
    refusals(
        &docker,
        &[
            (
                &["run", "--name", "e1", "alpine", "true"],
                125,
                "Conflict. The container name \"/e1\" is already in use by container \"ID\". You have to remove (or \
             rename) that container to be able to reuse that name.",
            ),
            (
                &["rm", "e1"],
                1,
                "You cannot remove a running container ID. Stop the container before attempting removal or force remove",
            ),
            (&["kill", "-s", "NOPE", "e1"], 1, "Invalid signal: NOPE"),
        ],
    );
    let image = docker.ok(&["images", "-q", "alpine"]).trim_end().to_owned();
    let id = docker.ok(&["inspect", "-f", "{{.Id}}", "e1"]).trim_end()[..12].to_owned();
    let message = format!(
        "conflict: unable to delete {image} (cannot be forced) - image is being used by running container {id}"
    );
    refused(&docker, &["rmi", &image], 1, &message);
}

#[test]
fn what_has_ended_is_not_killed_and_keeps_its_image() {
    let Some(docker) = Docker::new() else { return };
    docker.ok(&["run", "--name", "e1", "alpine", "true"]);
    refusals(
        &docker,
        &[
            (&["kill", "e1"], 1, "Cannot kill container: e1: Container ID is not running"),
            (
                &["rmi", "alpine"],
                1,
                "conflict: unable to remove repository reference \"alpine\" (must force) - container SHORT is using \
             its referenced image IMAGE",
            ),
        ],
    );
}

#[test]
fn what_is_not_there_is_named() {
    let Some(docker) = Docker::new() else { return };
    let absent = "No such container: nosuch";
    for verb in ["stop", "rm", "logs", "wait"] {
        refused(&docker, &[verb, "nosuch"], 1, absent);
    }
    refused(&docker, &["start", "nosuch"], 1, absent);
    refused(&docker, &["kill", "nosuch"], 1, "Cannot kill container: nosuch: No such container: nosuch");
    refused(&docker, &["rmi", "nosuch:img"], 1, "No such image: nosuch:img");
    refused(&docker, &["run", "--pull", "never", "nosuch:img"], 125, "No such image: nosuch:img");
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_made() {
    let Some(docker) = Docker::new() else { return };
    let name = "Invalid container name (/bad name), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed";
    refused(&docker, &["run", "--name", "/bad name", "alpine"], 125, name);
    refused(&docker, &["run", "-m", "5m", "alpine"], 125, "Minimum memory limit allowed is 6MB");
    let directory = "the working directory 'rel' is invalid, it needs to be an absolute path";
    refused(&docker, &["run", "-w", "rel", "alpine"], 125, directory);
    let source = "invalid mount config for type \"bind\": bind source path does not exist: /no/such/dir";
    let mount = "type=bind,source=/no/such/dir,target=/x";
    refused(&docker, &["run", "--mount", mount, "alpine"], 125, source);
    let destination = "invalid volume specification: '/src:rel': invalid mount config for type \"bind\": invalid \
                       mount path: 'rel' mount path must be absolute";
    refused(&docker, &["run", "-v", "/src:rel", "alpine"], 125, destination);
    refused(&docker, &["run", "--runtime", "nope", "alpine"], 125, "Unknown runtime specified nope");
    assert_eq!(docker.ok(&["ps", "-aq"]), "", "nothing was made");
    refused(&docker, &["run", "--network", "nosuchnet", "alpine"], 125, "network nosuchnet not found");
    let user = "unable to find user nosuchuser: no matching entries in passwd file";
    refused(&docker, &["run", "--user", "nosuchuser", "alpine"], 125, user);
}
