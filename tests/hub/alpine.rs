//! The stand-in for `alpine`: made from every source, unpacked, and run in a chroot.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use learn::hub::Catalog;
use learn::hub::alpine::{self, Error, Source, TOP_DIRECTORIES};
use learn::hub::elf::Elf;
use learn::hub::machine::Machine;
use learn::hub::tree::{Node, Tree};

use super::{pull, start};

/// A busybox in miniature: one dynamic program with several names.
const MULTI_CALL: &str = r#"
fn main() {
    let mut words = std::env::args();
    let name = words.next().unwrap_or_default();
    let name = name.rsplit('/').next().unwrap_or_default().to_owned();
    let word = words.next().unwrap_or_default();
    match (name.as_str(), word.as_str()) {
        (_, "--list") => println!("ls\nsh\nnot-in-alpine"),
        (_, "--help") => println!("{name}: help"),
        ("ls", path) => {
            let entries = std::fs::read_dir(path).unwrap();
            let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
            names.sort();
            names.iter().for_each(|name| println!("{}", name.display()));
        }
        _ => std::process::exit(127),
    }
}
"#;

/// Compiled here, so that the dynamic case is tested on machines without a dynamic busybox. `None`
/// where the user who tests cannot reach the compiler of the user who built the tests.
fn multi_call(directory: &Path) -> Option<PathBuf> {
    let (source, program) = (directory.join("busybox.rs"), directory.join("busybox"));
    std::fs::write(&source, MULTI_CALL).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = match Command::new(rustc).arg(&source).arg("-o").arg(&program).status() {
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "rustc: {error}");
            eprintln!("skipped: rustc: {error}");
            return None;
        }
        status => status.unwrap(),
    };
    assert!(status.success());
    Some(program)
}

/// Whether a chroot can be tried. Says why not; where root is promised, that is a failure.
fn may_chroot() -> bool {
    let root = nix::unistd::geteuid().is_root();
    if !root {
        assert_ne!(std::env::var("LEARN_REQUIRE_ROOT").as_deref(), Ok("1"), "not root");
        eprintln!("skipped: chroot(2) needs root");
    }
    root
}

fn chroot(root: &Path, words: &[&str]) -> Output {
    Command::new("chroot")
        .arg(root)
        .args(words)
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// The image of `source`, over HTTP and out of its layer, as files in a directory.
async fn unpack(source: Source) -> tempfile::TempDir {
    let hub = start(Catalog::from_source(source)).await;
    let pulled = pull(hub.address(), "library/alpine").await;
    let directory = tempfile::tempdir().unwrap();
    let mut archive = tar::Archive::new(pulled.tar.as_slice());
    archive.set_preserve_permissions(true);
    archive.unpack(directory.path()).unwrap();
    directory
}

/// `ls /` shows the 17 names, and every program in the image finds its loader and libraries.
async fn assert_works(source: Source) {
    let label = format!("{source:?}");
    let image = unpack(source).await;
    let mut listing: Vec<String> = std::fs::read_dir(image.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    listing.sort();
    assert_eq!(listing, TOP_DIRECTORIES, "{label}");
    let mode = |name: &str| image.path().join(name).metadata().unwrap().permissions().mode();
    assert_eq!((mode("tmp") & 0o7777, mode("root") & 0o7777), (0o1777, 0o700));
    if !may_chroot() {
        return;
    }
    let output = chroot(image.path(), &["/bin/ls", "/"]);
    let shown = String::from_utf8_lossy(&output.stdout).into_owned();
    let shown: Vec<&str> = shown.lines().collect();
    assert_eq!(shown, TOP_DIRECTORIES, "{label}: {output:?}");
    for directory in ["bin", "sbin", "usr/bin"] {
        for entry in std::fs::read_dir(image.path().join(directory)).unwrap() {
            let program = format!("/{directory}/{}", entry.unwrap().file_name().display());
            // What it answers is its own affair; that it starts is ours. A loader that misses a
            // library says so and exits with 127.
            let output = chroot(image.path(), &[&program, "--help"]);
            assert!(!matches!(output.status.code(), Some(126 | 127) | None), "{program}: {output:?}");
        }
    }
}

#[tokio::test]
async fn every_source_of_this_machine_gives_a_working_image() {
    let sources = alpine::sources(&Machine::this());
    assert!(!sources.is_empty(), "neither busybox nor sh and ls");
    for source in sources {
        eprintln!("source: {source:?}");
        assert_works(source).await;
    }
}

#[tokio::test]
async fn a_dynamic_busybox_gives_a_working_image() {
    let directory = tempfile::tempdir().unwrap();
    let Some(busybox) = multi_call(directory.path()) else { return };
    assert!(Elf::parse(&std::fs::read(&busybox).unwrap()).unwrap().loader().is_some());
    assert_works(Source::DynamicBusybox(busybox)).await;
}

#[test]
fn separate_programs_keep_their_identity() {
    let tree = alpine::tree(&Source::Programs, &Machine::this()).unwrap();
    let loaders: BTreeMap<&str, String> = tree
        .iter()
        // The C library names a loader, too: it can be run to print its version.
        .filter(|(path, _)| !path.starts_with("lib/"))
        .filter_map(|(path, node)| match node {
            Node::File { content, .. } => Some((path, Elf::parse(content).ok()?.loader()?.to_owned())),
            _ => None,
        })
        .collect();
    assert!(loaders.contains_key("bin/ls"), "{loaders:?}");
    for (program, loader) in loaders {
        let loader = loader.strip_prefix("/lib/").unwrap_or_else(|| panic!("{program}: {loader}"));
        assert!(tree.get(&format!("lib/{loader}")).is_some(), "{program}: {loader}");
    }
}

#[tokio::test]
async fn a_shell_line_with_a_pipe_works_in_the_best_image() {
    if !may_chroot() {
        return;
    }
    let image = unpack(alpine::choose(&Machine::this()).unwrap()).await;
    let line = "echo b > /tmp/x && echo a >> /tmp/x && sort /tmp/x | head -n 1 && id -un";
    let output = chroot(image.path(), &["/bin/sh", "-c", line]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "a\nroot\n", "{output:?}");
}

#[test]
fn the_image_says_that_it_is_a_stand_in() {
    let tree = alpine::tree(&Source::Outline, &Machine::this()).unwrap();
    let Some(Node::File { content, .. }) = tree.get("etc/os-release") else { panic!("{tree:?}") };
    let text = String::from_utf8_lossy(content);
    assert!(text.contains("stand-in") && text.contains("\nID=learn\n"), "{text}");
    assert_eq!(tree.get("etc/hosts"), None);
}

#[test]
fn the_outline_is_the_same_wherever_it_is_made() {
    let empty = tempfile::tempdir().unwrap();
    let here = alpine::tree(&Source::Outline, &Machine::this()).unwrap();
    assert_eq!(here, alpine::tree(&Source::Outline, &Machine::at(empty.path())).unwrap());
}

/// A machine with the given programs; each is the file at the path it is given with.
fn machine(programs: &[(&str, &Path)]) -> (tempfile::TempDir, Machine) {
    let root = tempfile::tempdir().unwrap();
    let bin = root.path().join("usr/bin");
    std::fs::create_dir_all(&bin).unwrap();
    for (name, file) in programs {
        std::fs::copy(file, bin.join(name)).unwrap();
    }
    let machine = Machine::at(root.path());
    (root, machine)
}

#[test]
fn a_static_busybox_is_preferred_to_a_dynamic_one_and_that_to_programs() {
    let directory = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let hello = directory.path().join("hello");
    std::fs::write(&hello, learn::hub::hello::PROGRAM).unwrap();
    std::fs::set_permissions(&hello, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (root, machine) =
        machine(&[("busybox", &this), ("busybox.static", &hello), ("sh", &this), ("ls", &this)]);
    let place = |name: &str| root.path().canonicalize().unwrap().join("usr/bin").join(name);
    let expected = [
        Source::StaticBusybox(place("busybox.static")),
        Source::DynamicBusybox(place("busybox")),
        Source::Programs,
    ];
    assert_eq!(alpine::sources(&machine), expected);
    assert_eq!(alpine::choose(&machine).unwrap(), expected[0]);
}

#[test]
fn a_machine_without_programs_is_a_clear_error() {
    let (_root, machine) = machine(&[("sh", &std::env::current_exe().unwrap())]);
    let error = alpine::choose(&machine).unwrap_err();
    assert!(matches!(error, Error::NoPrograms { missing: "ls", .. }), "{error:?}");
    let message = error.to_string();
    assert!(message.contains("no busybox, and no ls in ") && message.contains("/usr/bin"), "{message}");
}

#[test]
fn a_library_that_is_nowhere_is_named_with_its_user() {
    let this = std::env::current_exe().unwrap();
    let (root, machine) = machine(&[("sh", &this), ("ls", &this)]);
    // The loader is there, so that only the libraries are missing.
    let loader = Elf::parse(&std::fs::read(&this).unwrap()).unwrap().loader().unwrap().to_owned();
    let place = root.path().join(loader.trim_start_matches('/'));
    std::fs::create_dir_all(place.parent().unwrap()).unwrap();
    std::fs::copy(&loader, place).unwrap();
    let error = alpine::tree(&Source::Programs, &machine).unwrap_err();
    assert!(matches!(&error, Error::Library { user, .. } if user.ends_with("ls")), "{error}");
}

#[test]
fn a_busybox_without_a_shell_is_refused() {
    let error = alpine::tree(&Source::StaticBusybox("/bin/true".into()), &Machine::this());
    assert!(matches!(error, Err(Error::Applets { .. })), "{error:?}");
}

#[test]
fn a_program_with_two_names_is_stored_once() {
    let directory = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let hello = directory.path().join("hello");
    std::fs::write(&hello, learn::hub::hello::PROGRAM).unwrap();
    std::fs::set_permissions(&hello, std::fs::Permissions::from_mode(0o755)).unwrap();
    let (root, machine) = machine(&[("ls", &hello), ("sh", &hello), ("mount", &this)]);
    std::os::unix::fs::symlink("ls", root.path().join("usr/bin/cat")).unwrap();
    let tree: Tree = alpine::tree(&Source::Programs, &machine).unwrap();
    assert!(matches!(tree.get("bin/cat"), Some(Node::File { .. })));
    assert_eq!(tree.get("bin/ls"), Some(&Node::Hardlink { target: "bin/cat".into() }));
    assert!(matches!(tree.get("bin/sh"), Some(Node::File { .. })));
    // Its libraries are missing on that machine, and it is not required.
    assert_eq!(tree.get("bin/mount"), None);
}
