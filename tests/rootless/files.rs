//! The writable layer without root: deletions and replaced directories are kept in `user.*`
//! attributes.

use crate::{place, shell};
use std::fs;

#[test]
fn deleted_files_stay_deleted_and_replaced_directories_are_empty() {
    let Some(place) = place() else { return };
    let line = "rm /etc/passwd; rm -r /usr/share; mkdir /usr/share; touch /usr/share/new; mv /media /moved";
    let run = ["run", "--name", "one", "--hub", "builtin", "alpine", "sh", "-c"];
    let script = format!(
        "if test -e /again; then ls /usr/share; ls -d /etc/passwd /media /moved; else touch /again; {line}; fi"
    );
    let seen = place.learn(&[&run[..], &[&script]].concat());
    assert_eq!(seen.code, Some(0), "{seen:?}");
    // Started again, the container finds what it left.
    let again = place.learn(&["start", "-a", "one"]);
    assert_eq!(again.stdout, "new\n/moved\n", "{again:?}");
    assert!(again.stderr.contains("/etc/passwd") && again.stderr.contains("/media"), "{again:?}");
    // The image is as it was.
    assert_eq!(
        shell(&place, "test -f /etc/passwd && test -d /media && ls -A /usr/share | wc -l").code,
        Some(0)
    );
    place.learn(&["rm", "one"]).ok();
    assert_eq!(fs::read_dir(place.path("root/containers")).expect("containers").count(), 0);
}
