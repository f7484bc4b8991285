//! `cp`, `diff`, `export` and `commit` by the stock client.

use super::Docker;
use super::live::{said, stderr, stdout};
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Output, Stdio};

/// A container that stays until it is stopped, and a directory of this side.
fn with_container() -> Option<(Docker, tempfile::TempDir)> {
    let docker = Docker::new()?;
    docker.ok(&["run", "-d", "--name", "c1", "alpine", "sleep", "100000"]);
    let here = tempfile::tempdir().expect("a directory");
    fs::write(here.path().join("a.txt"), "hello\n").expect("a file");
    fs::create_dir_all(here.path().join("d/sub")).expect("a directory");
    fs::write(here.path().join("d/sub/f"), "below\n").expect("a file");
    Some((docker, here))
}

fn run_in(docker: &Docker, here: &tempfile::TempDir, words: &[&str]) -> Output {
    docker.command(words).current_dir(here.path()).output().expect("docker runs")
}

/// What a tar on standard output holds at a name.
fn content(output: &Output, name: &str) -> String {
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    for entry in archive.entries().expect("a tar") {
        let entry = entry.expect("an entry");
        if entry.path_bytes().as_ref() == name.as_bytes() {
            return std::io::read_to_string(entry).expect("text");
        }
    }
    panic!("no {name} in the tar: {}", said(output));
}

#[test]
fn files_go_in_and_out_of_running_and_stopped_containers() {
    let Some((docker, here)) = with_container() else { return };
    for stopped in [false, true] {
        if stopped {
            docker.ok(&["kill", "c1"]);
            docker.ok(&["wait", "c1"]);
        }
        for words in [
            &["cp", "a.txt", "c1:/tmp/"][..],
            &["cp", "a.txt", "c1:/tmp/b.txt"],
            &["cp", "d", "c1:/opt"],
            &["cp", "d/.", "c1:/new"],
        ] {
            let output = run_in(&docker, &here, words);
            assert!(output.status.success(), "{words:?}: {}", said(&output));
        }
        for (path, name, text) in [
            ("/tmp/a.txt", "a.txt", "hello\n"),
            ("/tmp/b.txt", "b.txt", "hello\n"),
            ("/opt/d", "d/sub/f", "below\n"),
            ("/new/.", "./sub/f", "below\n"),
        ] {
            let output = run_in(&docker, &here, &["cp", &format!("c1:{path}"), "-"]);
            assert_eq!(content(&output, name), text, "{path}");
        }
        let out = format!("out-{stopped}");
        let output = run_in(&docker, &here, &["cp", "-q", "c1:/opt/d", &out]);
        assert_eq!((stderr(&output), output.status.code()), (String::new(), Some(0)));
        assert_eq!(fs::read_to_string(here.path().join(out).join("sub/f")).expect("it is here"), "below\n");
    }
    let output = run_in(&docker, &here, &["cp", "c1:/no/such", "."]);
    assert_eq!(
        stderr(&output),
        "Error response from daemon: Could not find the file /no/such in container c1\n"
    );
    assert_eq!(output.status.code(), Some(1));
    let output = run_in(&docker, &here, &["cp", "d", "c1:/tmp/b.txt"]);
    assert!(stderr(&output).contains("cannot copy directory"), "{}", said(&output));
}

#[test]
fn links_inside_a_container_never_lead_a_copy_to_the_host() {
    let Some((docker, here)) = with_container() else { return };
    let secret = here.path().join("secret");
    fs::create_dir(&secret).expect("a directory");
    fs::write(secret.join("key"), "the host's").expect("a file");
    // The same path inside, as a link: what it leads to there is nothing.
    symlink(&secret, here.path().join("link")).expect("a link");
    for stopped in [false, true] {
        if stopped {
            docker.ok(&["kill", "c1"]);
            docker.ok(&["wait", "c1"]);
        }
        let output = run_in(&docker, &here, &["cp", "link", "c1:/tmp/out"]);
        assert!(output.status.success(), "{}", said(&output));
        let output = run_in(&docker, &here, &["cp", "c1:/tmp/out/key", "-"]);
        assert!(!output.status.success() && stdout(&output).is_empty(), "{}", said(&output));
        let output = run_in(&docker, &here, &["cp", "a.txt", "c1:/tmp/out/"]);
        assert!(!output.status.success(), "{}", said(&output));
        assert_eq!(fs::read_dir(&secret).expect("it is there").count(), 1, "nothing was written");
        let climbing = "/tmp/../../../../../../../../etc/hostname";
        let output = run_in(&docker, &here, &["cp", &format!("c1:{climbing}"), "-"]);
        let hosts = fs::read_to_string("/etc/hostname").unwrap_or_default();
        assert_ne!(content(&output, "hostname"), hosts);
    }
}

#[test]
fn a_tar_from_standard_input_is_unpacked_with_its_owners() {
    let Some((docker, here)) = with_container() else { return };
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(2);
    header.set_mode(0o640);
    header.set_uid(1234);
    header.set_gid(99);
    builder.append_data(&mut header, "x/y", &b"hi"[..]).expect("in memory");
    let tar = builder.into_inner().expect("in memory");
    let mut copy =
        docker.command(&["cp", "-", "c1:/srv"]).stdin(Stdio::piped()).spawn().expect("docker runs");
    std::io::Write::write_all(&mut copy.stdin.take().expect("piped"), &tar).expect("taken");
    assert!(copy.wait().expect("its end").success());
    let output = run_in(&docker, &here, &["cp", "c1:/srv/x/y", "-"]);
    let mut archive = tar::Archive::new(output.stdout.as_slice());
    let entry = archive.entries().expect("a tar").next().expect("one").expect("an entry");
    let header = entry.header();
    let seen = (header.uid().unwrap(), header.gid().unwrap(), header.mode().unwrap());
    assert_eq!(seen, (1234, 99, 0o640));
}

#[test]
fn a_commit_keeps_what_diff_shows() {
    let Some(docker) = Docker::new() else { return };
    assert_eq!(docker.ok(&["create", "--name", "new", "hello-world"]).len(), 65);
    assert_eq!(docker.ok(&["diff", "new"]), "", "nothing ran yet");
    docker.ok(&["run", "--name", "idle", "hello-world"]);
    assert_eq!(docker.ok(&["diff", "idle"]), "", "mount points are no changes");
    let script = "echo new > /root/new; rm /etc/motd; rm -r /media; mkdir /media; chmod 700 /srv; echo x >> /etc/hosts";
    docker.ok(&["run", "--name", "c1", "alpine", "sh", "-c", &format!("touch /etc/motd; {script}")]);
    let listed = docker.ok(&["diff", "c1"]);
    let mut lines: Vec<&str> = listed.lines().collect();
    lines.sort_unstable();
    let motd = lines.contains(&"D /etc/motd");
    assert!(motd || !lines.contains(&"A /etc/motd"), "{listed}");
    for line in ["A /root/new", "C /root", "C /srv"] {
        assert!(lines.contains(&line), "{line}: {listed}");
    }
    assert!(!listed.contains("/etc/hosts"), "a file of the engine's own: {listed}");
    let id = docker.ok(&[
        "commit",
        "-m",
        "why",
        "-a",
        "me",
        "-c",
        "CMD [\"cat\", \"/root/new\"]",
        "c1",
        "x/kept:1",
    ]);
    assert!(id.starts_with("sha256:"), "{id}");
    assert_eq!(docker.ok(&["run", "--rm", "x/kept:1"]), "new\n");
    let ask = |format: &str| docker.ok(&["image", "inspect", "--format", format, "x/kept:1"]);
    assert_eq!(ask("{{.Author}} {{.Comment}} {{.Config.Cmd}}"), "me why [cat /root/new]\n");
    let parent = docker.ok(&["image", "inspect", "--format", "{{.Id}} {{len .RootFS.Layers}}", "alpine"]);
    let (parent, layers) = parent.trim().split_once(' ').expect("two words");
    let layers: usize = layers.parse().expect("a number");
    assert_eq!(ask("{{.Parent}} {{len .RootFS.Layers}}"), format!("{parent} {}\n", layers + 1));
    let refused = docker.run(&["commit", "-c", "RUN x", "c1"]);
    assert_eq!(stderr(&refused), "Error response from daemon: run is not a valid change command\n");
    let missing = docker.run(&["commit", "nosuch"]);
    assert_eq!(stderr(&missing), "Error response from daemon: No such container: nosuch\n");
}

#[test]
fn an_export_is_the_whole_tree_without_what_is_mounted() {
    let Some((docker, here)) = with_container() else { return };
    run_in(&docker, &here, &["cp", "a.txt", "c1:/root/a.txt"]);
    let running = run_in(&docker, &here, &["export", "c1"]);
    assert_eq!(content(&running, "root/a.txt"), "hello\n");
    let names = |output: &Output| -> Vec<String> {
        let mut archive = tar::Archive::new(output.stdout.as_slice());
        let entries = archive.entries().expect("a tar").map(|entry| entry.expect("an entry"));
        entries.map(|entry| String::from_utf8_lossy(&entry.path_bytes()).into_owned()).collect()
    };
    let listed = names(&running);
    assert!(listed.contains(&"proc/".to_owned()) && !listed.iter().any(|name| name.starts_with("proc/1")));
    docker.ok(&["kill", "c1"]);
    docker.ok(&["wait", "c1"]);
    let stopped = run_in(&docker, &here, &["export", "c1"]);
    assert_eq!(names(&stopped), listed);
    let output = run_in(&docker, &here, &["export", "-o", "all.tar", "c1"]);
    assert!(output.status.success() && here.path().join("all.tar").exists(), "{}", said(&output));
}
