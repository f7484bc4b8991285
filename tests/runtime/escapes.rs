//! Images and programs that try to reach the host.

use crate::Case;
use crate::bundle::Bundle;
use serde_json::json;
use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::symlink;

pub const CASES: &[Case] = crate::cases![
    links_in_an_image_never_lead_a_mount_onto_the_host,
    a_link_does_not_lead_a_generated_file_onto_the_host,
    a_working_directory_outside_is_refused,
    the_hosts_program_cannot_be_written_through_proc,
    no_descriptor_of_the_runtimes_is_inherited,
];

fn links_in_an_image_never_lead_a_mount_onto_the_host() {
    let targets =
        ["/", "../../../../../../..", "/proc/self/root", "/proc/1/root", "/proc/self/fd", "/proc/1/cwd/.."];
    for (round, target) in targets.iter().enumerate() {
        for name in ["proc", "dev", "sys"] {
            let bundle = Bundle::new(&format!("link-{name}-{round}"), &["true"]);
            symlink(target, bundle.upper().join(name)).unwrap();
            // It may start or fail; `run` compares the host's mounts before and after.
            let ran = bundle.run();
            assert!(ran.code == 0 || ran.failure.is_some(), "{name} -> {target}: {ran:?}");
            assert!(fs::exists("/etc/passwd").unwrap() && fs::exists("/proc/self/status").unwrap());
        }
    }
}

fn a_link_does_not_lead_a_generated_file_onto_the_host() {
    let outside = tempfile::tempdir().unwrap();
    let up = "../".repeat(12);
    for target in [outside.path().display().to_string(), format!("{up}{}", outside.path().display())] {
        let round = target.len();
        let mut bundle = Bundle::new(&format!("etclink-{round}"), &["cat", "/etc/hosts"]);
        symlink(&target, bundle.upper().join("etc")).unwrap();
        let hosts = bundle.directory().join("hosts");
        fs::write(&hosts, "127.0.0.1 inside\n").unwrap();
        let entry =
            json!({"destination": "/etc/hosts", "type": "bind", "source": hosts, "options": ["rbind"]});
        bundle.spec["mounts"].as_array_mut().unwrap().push(entry);
        bundle.set("/process/cwd", json!("/etc/made/here"));
        assert_eq!(bundle.run().said(), "127.0.0.1 inside\n");
        assert_eq!(fs::read_dir(outside.path()).unwrap().count(), 0, "{target}");
    }
}

fn a_working_directory_outside_is_refused() {
    // A directory of the host that the runtime has open, as in CVE-2024-21626.
    let etc = fs::File::open("/etc").unwrap();
    let inherited = nix::unistd::dup(&etc).unwrap();
    let number = inherited.as_raw_fd();
    for cwd in [format!("/proc/self/fd/{number}"), format!("/proc/self/fd/{number}/..")] {
        let mut bundle = Bundle::new(&format!("cwd-{}", cwd.len()), &["cat", "passwd"]);
        bundle.set("/process/cwd", json!(cwd));
        let ran = bundle.run();
        assert!(ran.failure.is_some(), "{ran:?}");
    }
}

fn the_hosts_program_cannot_be_written_through_proc() {
    // CVE-2019-5736. The program of init before exec is this test's own binary, which is sealed
    // by the daemon only; what the runtime guarantees by itself is that nobody inside ever holds
    // it: the entry point is the image's, and init lets go of everything when it becomes it.
    let line = "readlink /proc/1/exe; for fd in /proc/1/fd/*; do readlink $fd; done; \
        (echo x > /proc/1/exe) && echo written; echo done";
    let ran = Bundle::shell("exe", line).run();
    let exe = std::env::current_exe().unwrap();
    assert!(!ran.stdout.contains(exe.to_str().unwrap()) && !ran.stdout.contains("written"), "{ran:?}");
    assert!(ran.stdout.ends_with("done\n"), "{ran:?}");
    // An entry point that is the runtime itself starts it anew inside, as a plain program with no
    // privilege of the runtime's: it says what it would say to anyone, and it cannot be changed.
    let before = fs::read(&exe).unwrap();
    let ran = Bundle::new("selfexe", &["/proc/self/exe", "--list"]).run();
    assert!(ran.code == 127 || ran.failure.is_some() || ran.stdout.contains(": test"), "{ran:?}");
    assert!(fs::read(&exe).unwrap() == before);
}

fn no_descriptor_of_the_runtimes_is_inherited() {
    let etc = fs::File::open("/etc").unwrap();
    let _inherited = nix::unistd::dup(&etc).unwrap();
    let said = Bundle::new("fds", &["ls", "/proc/self/fd"]).run().said();
    assert_eq!(said, "0\n1\n2\n3\n", "3 is ls's own");
}
