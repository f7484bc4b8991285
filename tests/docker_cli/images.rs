//! Images through the stock docker CLI: named, listed, moved about, cleared away; and the same
//! words from `learn` itself.

use super::Docker;
use super::live::{said, stderr, stdout};
use super::peer::{DockerRegistry, find};
use std::process::{Command, Stdio};

/// Debian's registry, which the tests here cannot do without.
fn registry() -> DockerRegistry {
    if let Some(lack) = DockerRegistry::missing() {
        panic!("this test needs {lack}: tests/setup.sh installs it");
    }
    DockerRegistry::start().expect("docker-registry starts")
}

fn id_of(docker: &Docker, image: &str) -> String {
    docker.ok(&["image", "inspect", "--format", "{{.Id}}", image]).trim().to_owned()
}

#[test]
fn names_are_given_moved_and_taken_away_as_docker_does() {
    let Some(docker) = Docker::new() else { return };
    let (alpine, hello) = (id_of(&docker, "alpine"), id_of(&docker, "hello-world"));
    docker.ok(&["tag", "alpine", "mine:1"]);
    docker.ok(&["tag", &alpine[7..19], "mine:2"]);
    assert_eq!(id_of(&docker, "mine:1"), alpine);
    docker.ok(&["tag", "hello-world", "mine:1"]);
    assert_eq!(id_of(&docker, "mine:1"), hello, "the name moved");
    assert_eq!(docker.ok(&["rmi", "mine:1"]), "Untagged: mine:1\n");

    let missing = docker.run(&["tag", "nosuch:img", "x:1"]);
    assert_eq!(stderr(&missing), "Error response from daemon: No such image: nosuch:img\n");
    let several = docker.run(&["rmi", &alpine[7..19]]);
    let conflict = format!(
        "Error response from daemon: conflict: unable to delete {} (must be forced) - image is referenced in \
         multiple repositories\n",
        &alpine[7..19]
    );
    assert_eq!(stderr(&several), conflict);

    docker.ok(&["run", "-d", "--name", "holder", "alpine", "sleep", "1000"]);
    let container = docker.ok(&["ps", "-q", "--no-trunc"]);
    let short = &container[..12];
    docker.ok(&["rmi", "mine:2"]);
    let used = docker.run(&["rmi", "alpine"]);
    let expected = format!(
        "Error response from daemon: conflict: unable to remove repository reference \"alpine\" (must force) - \
         container {short} is using its referenced image {}\n",
        &alpine[7..19]
    );
    assert_eq!(stderr(&used), expected);
    let running = docker.run(&["rmi", "-f", &alpine[7..19]]);
    let expected = format!(
        "Error response from daemon: conflict: unable to delete {} (cannot be forced) - image is being used by \
         running container {short}\n",
        &alpine[7..19]
    );
    assert_eq!(stderr(&running), expected);
    // By name and by force the name goes, and the image stays without one.
    assert!(docker.ok(&["rmi", "-f", "alpine"]).starts_with("Untagged: alpine:latest\n"));
    assert_eq!(docker.ok(&["images", "-q", "--filter", "dangling=true", "--no-trunc"]).trim(), alpine);
    docker.ok(&["rm", "-f", "holder"]);
    assert!(docker.ok(&["rmi", &alpine]).contains(&format!("Deleted: {alpine}\n")));
}

#[test]
fn history_shows_every_step_and_both_clients_agree() {
    let Some(docker) = Docker::new() else { return };
    for words in [
        &["history", "alpine"][..],
        &["history", "--no-trunc", "alpine"],
        &["history", "-q", "alpine"],
        &["history", "--human=false", "alpine"],
        &["image", "history", "hello-world"],
    ] {
        let theirs = docker.ok(words);
        assert_eq!(docker.live.ok(words), theirs, "{words:?}");
    }
    let first = docker.ok(&["history", "-q", "--no-trunc", "alpine"]);
    assert_eq!(first.lines().next(), Some(id_of(&docker, "alpine").as_str()));
    let missing = docker.run(&["history", "nosuch:img"]);
    assert_eq!(stderr(&missing), "Error response from daemon: No such image: nosuch:img\n");
}

#[test]
fn an_archive_carries_images_from_one_engine_to_another() {
    let Some(docker) = Docker::new() else { return };
    let file = docker.live.root().join("images.tar").display().to_string();
    docker.ok(&["tag", "alpine", "second:1"]);
    let (alpine, hello) = (id_of(&docker, "alpine"), id_of(&docker, "hello-world"));
    let digest = docker.ok(&["image", "inspect", "--format", "{{json .RootFS.Layers}}", "alpine"]);
    docker.ok(&["save", "-o", &file, "alpine:latest", "second:1", "hello-world"]);
    docker.ok(&["rmi", "alpine", "second:1", "hello-world"]);
    assert_eq!(docker.ok(&["images", "-q"]), "");
    let loaded = docker.ok(&["load", "-i", &file]);
    for name in ["alpine:latest", "second:1", "hello-world:latest"] {
        assert!(loaded.contains(&format!("Loaded image: {name}\n")), "{loaded}");
    }
    assert_eq!((id_of(&docker, "alpine"), id_of(&docker, "hello-world")), (alpine.clone(), hello.clone()));
    assert_eq!(docker.ok(&["image", "inspect", "--format", "{{json .RootFS.Layers}}", "second:1"]), digest);
    assert!(docker.ok(&["run", "--rm", "hello-world"]).contains("Hello from learn!"));

    // And through pipes, by id: without a name.
    docker.ok(&["rmi", "alpine", "second:1"]);
    let script = format!(
        "docker save hello-world > {file}.2 && docker rmi hello-world > {file}.log && docker load < {file}.2"
    );
    let output = docker.live.command("sh", &["-c", &script]).output().expect("sh runs");
    assert_eq!(stdout(&output), "Loaded image: hello-world:latest\n", "{}", said(&output));
    docker.ok(&["save", "-o", &file, &hello]);
    docker.ok(&["rmi", "hello-world"]);
    assert_eq!(docker.ok(&["load", "-i", &file]), format!("Loaded image ID: {hello}\n"));

    let missing = docker.run(&["save", "-o", &file, "nosuch:img"]);
    assert_eq!(stderr(&missing), "Error response from daemon: reference does not exist\n");
    let nothing = docker.live.root().join("nothing").display().to_string();
    std::fs::write(&nothing, b"no tar").expect("a file");
    let bad = docker.run(&["load", "-i", &nothing]);
    assert!(!bad.status.success() && !stderr(&bad).is_empty(), "{}", said(&bad));
    let left = std::fs::read_dir(docker.live.root().join("ingest")).expect("a directory").count();
    assert_eq!(left, 0, "nothing of a failed load stays");
}

/// Both kinds of archive, written and read by a program that nobody here wrote.
#[test]
fn skopeo_reads_what_is_saved_and_what_it_writes_is_loaded() {
    let Some(docker) = Docker::new() else { return };
    if find("skopeo").is_none() {
        panic!("this test needs skopeo: tests/setup.sh installs it");
    }
    let place = |name: &str| docker.live.root().join(name).display().to_string();
    let alpine = id_of(&docker, "alpine");
    let saved = place("saved.tar");
    docker.live.ok(&["save", "-o", &saved, "alpine"]);
    let skopeo = |words: &[&str]| {
        let output = docker.live.command("skopeo", words).output().expect("skopeo runs");
        assert!(output.status.success(), "skopeo {words:?}: {}", said(&output));
        stdout(&output)
    };
    let policy = "--insecure-policy";
    for kind in ["docker-archive", "oci-archive"] {
        let config = skopeo(&["inspect", "--config", &format!("{kind}:{saved}")]);
        assert!(config.contains("\"rootfs\""), "{kind}: {config}");
    }
    for (kind, target) in [("docker-archive", "back:1"), ("oci-archive", "example.org/back:2")] {
        let written = place(&format!("{kind}.tar"));
        skopeo(&[policy, "copy", &format!("docker-archive:{saved}"), &format!("{kind}:{written}:{target}")]);
        let loaded = docker.live.ok(&["load", "-i", &written]);
        assert_eq!(loaded, format!("Loaded image: {target}\n"), "{kind}");
        let layers = |image: &str| docker.ok(&["image", "inspect", "--format", "{{json .RootFS}}", image]);
        assert_eq!(layers(target), layers(&alpine), "{kind}");
    }
}

#[test]
fn a_tar_of_files_becomes_an_image() {
    let Some(docker) = Docker::new() else { return };
    let script = "docker run --name files alpine true; tar -C \"$0\" -c . | \
                  docker import -m note -c 'CMD [\"cat\",\"/etc/name\"]' -c 'ENV A=1' - made:1";
    let tree = docker.live.root().join("tree");
    std::fs::create_dir_all(tree.join("etc")).expect("a directory");
    std::fs::write(tree.join("etc/name"), "imported\n").expect("a file");
    let output = docker.live.command("sh", &["-c", script, &tree.display().to_string()]).output();
    let output = output.expect("sh runs");
    let id = id_of(&docker, "made:1");
    assert_eq!(stdout(&output), format!("{id}\n"), "{}", said(&output));
    let shown = docker.ok(&[
        "image",
        "inspect",
        "--format",
        "{{.Comment}} {{.Config.Cmd}} {{.Config.Env}}",
        "made:1",
    ]);
    assert_eq!(shown, "note [cat /etc/name] [A=1]\n");
    assert!(docker.ok(&["history", "made:1"]).contains("note"));

    let refused = docker.live.root().join("no.tar").display().to_string();
    std::fs::write(&refused, vec![b'x'; 700]).expect("a file");
    let bad = docker.run(&["import", &refused, "bad:1"]);
    assert!(stderr(&bad).contains("Error processing tar file(exit status 1): "), "{}", said(&bad));
    let change = docker.run(&["import", "-c", "RUN ls", &refused, "bad:1"]);
    assert_eq!(stderr(&change), "Error response from daemon: run is not a valid change command\n");
}

#[test]
fn a_push_sends_what_is_not_there_mounts_what_a_neighbour_has_and_keeps_the_digest() {
    let Some(docker) = Docker::new() else { return };
    let registry = registry();
    let name = |rest: &str| format!("{}/{rest}", registry.address());
    for target in [name("one:a"), name("one:b"), name("two:a")] {
        docker.ok(&["tag", "alpine", &target]);
    }
    let first = docker.ok(&["push", &name("one:a")]);
    let lines: Vec<&str> = first.lines().collect();
    assert_eq!(lines[0], format!("The push refers to repository [{}]", name("one")));
    assert!(lines[1].ends_with(": Preparing"), "{first}");
    assert!(lines.iter().any(|line| line.ends_with(": Pushed")), "{first}");
    let last = lines[lines.len() - 1];
    let (tag, digest) = last.split_once(": digest: ").unwrap_or_default();
    let (digest, size) = digest.split_once(" size: ").unwrap_or_default();
    assert_eq!(tag, "a", "{first}");
    assert!(digest.starts_with("sha256:") && size.parse::<u64>().is_ok(), "{first}");

    let again = docker.ok(&["push", &name("one:a")]);
    assert!(again.contains(": Layer already exists\n"), "{again}");
    let mounted = docker.ok(&["push", &name("two:a")]);
    assert!(mounted.contains(": Mounted from one\n"), "{mounted}");
    let all = docker.live.ok(&["push", "-a", &name("one")]);
    assert!(all.contains("a: digest: ") && all.contains("b: digest: "), "{all}");

    let alpine = id_of(&docker, "alpine");
    docker.ok(&["rmi", &name("one:a"), &name("one:b"), &name("two:a"), "alpine"]);
    let pulled = docker.ok(&["pull", "-a", &name("one")]);
    assert!(pulled.contains("a: Pulling from one\n") && pulled.contains("b: Pulling from one\n"), "{pulled}");
    assert!(pulled.contains(&format!("Status: Downloaded newer image for {}\n", name("one"))), "{pulled}");
    assert_eq!(id_of(&docker, &name("one:b")), alpine);
    let by_digest = name(&format!("two@{digest}"));
    assert!(docker.ok(&["pull", &by_digest]).contains(&format!("Digest: {digest}\n")));

    let unknown = docker.run(&["push", &name("never:1")]);
    let expected = format!("An image does not exist locally with the tag: {}\n", name("never"));
    assert_eq!(stderr(&unknown), expected, "{}", said(&unknown));
    let tag = docker.run(&["push", &name("one:z")]);
    assert_eq!(stderr(&tag), format!("tag does not exist: {}\n", name("one:z")));
}

#[test]
fn a_login_is_checked_by_the_registry_and_kept_where_docker_keeps_it() {
    let Some(docker) = Docker::new() else { return };
    let registry = DockerRegistry::start_locked().expect("docker-registry starts");
    let address = registry.address();
    let log_in = |program: &str, password: &str| {
        let words = ["login", "-u", "ann", "--password-stdin", address];
        let mut child = match program {
            "docker" => docker.command(&words),
            _ => docker.live.learn(&words),
        };
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), password.as_bytes())
            .expect("taken");
        child.wait_with_output().expect("its end")
    };
    let reference = format!("{address}/locked:1");
    docker.ok(&["tag", "alpine", &reference]);
    let denied = docker.run(&["push", &reference]);
    assert!(!denied.status.success(), "{}", said(&denied));

    for password in ["secret\n", "wrong"] {
        let theirs = log_in("docker", password);
        if theirs.status.success() {
            // What is kept already is not kept again, and not warned of.
            docker.ok(&["logout", address]);
        }
        let ours = log_in("learn", password);
        assert_eq!((stdout(&ours), stderr(&ours)), (stdout(&theirs), stderr(&theirs)), "{password:?}");
        assert_eq!(ours.status.code(), theirs.status.code());
    }
    let kept = std::fs::read_to_string(docker.live.home().join(".docker/config.json")).expect("kept");
    assert!(kept.contains(address) && kept.contains("YW5uOnNlY3JldA=="), "{kept}");
    assert!(docker.live.ok(&["push", &reference]).contains("1: digest: sha256:"));
    let looked = docker.ok(&["manifest", "inspect", "--insecure", &reference]);
    assert!(looked.contains("schemaVersion"), "{looked}");

    let theirs = docker.ok(&["logout", address]);
    assert!(log_in("learn", "secret").status.success());
    assert_eq!(docker.live.ok(&["logout", address]), theirs);
    let left = std::fs::read_to_string(docker.live.home().join(".docker/config.json")).expect("kept");
    assert!(!left.contains("YW5uOnNlY3JldA=="), "{left}");
    assert!(!docker.live.run(&["push", &reference]).status.success(), "forgotten");
}

#[test]
fn unused_images_are_pruned_after_a_question() {
    let Some(docker) = Docker::new() else { return };
    let answer = |program: &str, words: &[&str], answer: &str| {
        let mut child = match program {
            "docker" => docker.command(words),
            _ => docker.live.learn(words),
        };
        let child = child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let mut child = child.expect("it runs");
        std::io::Write::write_all(&mut child.stdin.take().expect("piped"), answer.as_bytes()).expect("taken");
        let output = child.wait_with_output().expect("its end");
        (output.status.code(), stdout(&output), stderr(&output))
    };
    for words in
        [&["image", "prune"][..], &["image", "prune", "-a"], &["image", "prune", "--filter", "until=1h"]]
    {
        let theirs = answer("docker", words, "n\n");
        assert_eq!(answer("learn", words, "n\n"), theirs, "{words:?}");
        assert!(theirs.1.ends_with("Are you sure you want to continue? [y/N] "), "{theirs:?}");
    }
    docker.ok(&["run", "--name", "holder", "alpine", "true"]);
    let pruned = answer("docker", &["image", "prune", "-a"], "y\n").1;
    assert!(pruned.contains("untagged: hello-world:latest\n"), "{pruned}");
    assert!(!pruned.contains("alpine"), "a container stands on it: {pruned}");
    let nothing = "Total reclaimed space: 0B\n";
    assert_eq!(docker.ok(&["image", "prune", "-f"]), nothing);
    assert_eq!(docker.live.ok(&["image", "prune", "-f"]), nothing);
    let theirs = docker.ok(&["system", "df"]);
    assert_eq!(docker.live.ok(&["system", "df"]), theirs);
    assert!(
        theirs.lines().nth(1).is_some_and(|line| line.starts_with("Images          1         1")),
        "{theirs}"
    );
    docker.ok(&["rm", "holder"]);
    assert!(docker.live.ok(&["image", "prune", "-af"]).contains("untagged: alpine:latest\n"));
    assert_eq!(docker.ok(&["images", "-q"]), "");
}

#[test]
fn a_search_asks_the_registry_that_is_named() {
    let Some(docker) = Docker::new() else { return };
    let page = r#"{"num_results":2,"results":[
        {"name":"team/alpine","description":"Small, with a description that goes on and on and on","star_count":3},
        {"name":"alpine","description":"Official","star_count":9,"is_official":true}]}"#;
    let server = answering(page);
    let term = format!("{server}/alpine");
    for words in [
        &["search", &term][..],
        &["search", "--no-trunc", &term],
        &["search", "--filter", "is-official=true", &term],
        &["search", "--filter", "stars=5", &term],
    ] {
        let theirs = docker.ok(words);
        assert_eq!(docker.live.ok(words), theirs, "{words:?}");
        assert!(theirs.contains("[OK]"), "{theirs}");
    }
    let many = docker.run(&["search", "--limit", "101", &term]);
    assert_eq!(stderr(&many), "Error response from daemon: Limit 101 is outside the range of [1, 100]\n");
}

/// A server that answers every request with this JSON; its address.
fn answering(page: &'static str) -> String {
    use std::io::{BufRead, BufReader, Write};
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("bound").to_string();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(mut client) = client else { return };
            let mut lines = BufReader::new(client.try_clone().expect("a second handle")).lines();
            while lines.next().is_some_and(|line| line.is_ok_and(|line| !line.is_empty())) {}
            let length = page.len();
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            // A client that hung up does not want it.
            let _ = client.write_all(head.as_bytes()).and_then(|()| client.write_all(page.as_bytes()));
        }
    });
    address
}

#[test]
fn podman_loads_what_is_saved() {
    let Some(docker) = Docker::new() else { return };
    if find("podman").is_none() {
        super::live::unable("podman is not installed");
        return;
    }
    let place = |name: &str| docker.live.root().join(name).display().to_string();
    let saved = place("saved.tar");
    docker.ok(&["save", "-o", &saved, "hello-world"]);
    let (root, run) = (place("podman"), place("podman-run"));
    let podman = |words: &[&str]| {
        let options = ["--root", &root, "--runroot", &run, "--storage-driver", "vfs"];
        let output = Command::new("podman").args(options).args(words).output().expect("podman runs");
        assert!(output.status.success(), "podman {words:?}: {}", said(&output));
        stdout(&output)
    };
    assert!(podman(&["load", "-i", &saved]).contains("hello-world:latest"));
    let back = place("back.tar");
    podman(&["save", "-o", &back, "hello-world"]);
    let id = id_of(&docker, "hello-world");
    docker.ok(&["rmi", "hello-world"]);
    assert!(docker.live.ok(&["load", "-i", &back]).contains("hello-world:latest"));
    assert_eq!(id_of(&docker, "hello-world"), id, "the same image came back");
}

/// The first file below a directory that has something in it.
fn some_file(directory: &std::path::Path) -> Option<std::path::PathBuf> {
    let mut entries: Vec<_> = std::fs::read_dir(directory).ok()?.flatten().collect();
    entries.sort_by_key(std::fs::DirEntry::file_name);
    entries.into_iter().find_map(|entry| {
        let there = std::fs::symlink_metadata(entry.path()).ok()?;
        match there.is_dir() {
            true => some_file(&entry.path()),
            false => (there.is_file() && there.len() > 0).then(|| entry.path()),
        }
    })
}

#[test]
fn a_store_that_a_crash_damaged_is_found_out_and_mended() {
    let Some(docker) = Docker::new() else { return };
    let live = &docker.live;
    let layer = |image: &str| {
        let diff_id = docker.ok(&["image", "inspect", "--format", "{{index .RootFS.Layers 0}}", image]);
        diff_id.trim().trim_start_matches("sha256:").to_owned()
    };
    assert!(live.ok(&["system", "check"]).starts_with("the store is sound: 2 layers"));

    // A file that was never written out, and a tree that no record came to name.
    let alpine = layer("alpine");
    let emptied = some_file(&live.root().join("layers").join(&alpine)).expect("a file in alpine");
    std::fs::write(&emptied, b"").expect("emptied");
    std::fs::create_dir(live.root().join("layers/stray")).expect("a stray tree");
    let said = live.run(&["system", "check"]);
    assert_eq!(said.status.code(), Some(1));
    let name = emptied.file_name().expect("a name").to_string_lossy().into_owned();
    let text = stdout(&said);
    assert!(text.contains(&format!("unpacked layer differs from its blob: sha256:{alpine} (")), "{text}");
    assert!(text.contains(&name) && text.contains("named by no record: layers/stray"), "{text}");
    let mended = live.ok(&["system", "check", "--repair"]);
    assert_eq!(mended.matches("(mended)").count(), 2, "{mended}");
    assert!(std::fs::metadata(&emptied).expect("there again").len() > 0);
    assert!(live.ok(&["system", "check"]).starts_with("the store is sound"));

    // A blob that rotted: its image goes, and a pull brings it back.
    let hello = id_of(&docker, "hello-world");
    let document = live.root().join("blobs/sha256").join(&hello[7..]);
    std::fs::write(&document, b"{}").expect("damaged");
    assert!(
        stdout(&live.run(&["system", "check"])).contains(&format!("blob does not have its digest: {hello}"))
    );
    live.ok(&["system", "check", "--repair"]);
    assert!(live.ok(&["system", "check"]).starts_with("the store is sound: 1 layers"));
    assert!(!docker.run(&["image", "inspect", "hello-world"]).status.success());
    live.ok(&["pull", "-q", "--hub", "builtin", "hello-world"]);
    assert_eq!(id_of(&docker, "hello-world"), hello);

    // What a container stands on is left alone.
    docker.ok(&["create", "--name", "holder", "alpine", "true"]);
    std::fs::write(&emptied, b"").expect("emptied");
    let held = live.run(&["system", "check", "--repair"]);
    assert!(stdout(&held).contains("(left alone: a container stands on it)"), "{}", super::live::said(&held));
    assert_eq!(held.status.code(), Some(1));
}
