//! What cannot be had without root is refused by name, with what to do.

use crate::place::{Place, seen};
use crate::{one_line, place};
use std::process::Command;

#[test]
fn another_user_inside_is_refused_by_name() {
    let Some(place) = place() else { return };
    let run = |flags: &[&str]| {
        let words = [&["run", "--rm", "--hub", "builtin"], flags, &["alpine", "true"]].concat();
        place.learn(&words).failed(125)
    };
    let why = "a daemon without root privileges maps one";
    for (flags, who) in [
        (&["-u", "1000"][..], "cannot become user 1000: "),
        (&["-u", "nobody"], "cannot become user 65534: "),
        (&["-u", "0:1000"], "cannot become group 1000: "),
    ] {
        let said = run(flags);
        assert!(said.contains(&format!("{who}{why}")), "{said}");
        assert!(said.contains("hint: Only a daemon of root's can do this"), "{said}");
    }
    let korean = place.korean(&["run", "--rm", "-u", "1000", "alpine", "true"]).failed(125);
    assert!(korean.contains("sudo learn run") && korean.contains("--user 0"), "{korean}");
    assert_eq!(place.learn(&["ps", "-aq"]).ok(), "", "nothing is kept");
    // The container's own root by its number is the user, and may be asked for.
    place.learn(&["run", "--rm", "-u", "0:0", "alpine", "true"]).ok();
}

/// The place's command inside nested user namespaces, in which a line was run as their root.
fn nested(place: &Place, line: &str, words: &[&str]) -> place::Seen {
    let mut command = Command::new("unshare");
    let inner = "exec unshare --user --map-user=1000 --map-group=1000 \"$@\"";
    command.args(["--user", "--map-root-user", "--mount", "sh", "-ec", &format!("{line}; {inner}"), "sh"]);
    place.dress(command.arg(place.program()).args(words));
    seen(command.output().expect("unshare"))
}

#[test]
fn a_kernel_that_allows_no_more_user_namespaces_is_named_by_its_setting() {
    let Some(place) = place() else { return };
    place.learn(&["pull", "-q", "--hub", "builtin", "hello-world"]).ok();
    place.learn(&["daemon", "stop"]).ok();
    // One is left: the one the command itself is put into.
    let line = "echo 1 > /proc/sys/user/max_user_namespaces";
    let said = nested(&place, line, &["run", "--rm", "hello-world"]).failed(125);
    assert!(said.contains("no more user namespaces may be made: user.max_user_namespaces = "), "{said}");
    assert!(said.contains("`learn doctor`") && said.contains("`--simulate`"), "{said}");
    assert!(!said.to_lowercase().contains("disk"), "ENOSPC is no full disk here: {said}");
}

#[test]
fn where_proc_and_sys_are_covered_the_hosts_are_bound() {
    let Some(place) = place() else { return };
    let line = "mount -t tmpfs none /proc/fs; mount -t tmpfs none /sys/kernel";
    let words = ["run", "--rm", "--explain", "--hub", "builtin", "alpine", "sh", "-c"];
    let script = "test -r /proc/self/status; test -d /sys/class/net; echo 1 > /proc/sys/kernel/printk";
    let seen = nested(&place, line, &[&words[..], &[script]].concat());
    assert_eq!(seen.code, Some(1), "{seen:?}");
    assert!(seen.stderr.contains("ead-only file system"), "{seen:?}");
    let told = one_line(&seen.stderr);
    for path in ["/proc", "/sys"] {
        let part = format!("(operation not permitted), so the host's {path} is bound in");
        assert!(told.contains(&part), "{part}: {}", seen.stderr);
    }
}
