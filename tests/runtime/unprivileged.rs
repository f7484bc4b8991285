//! The same containers, run by a user without privilege: user_namespaces(7).

use crate::Case;
use crate::bundle::{Bundle, NOBODY};
use learn::hub::alpine::TOP_DIRECTORIES;
use serde_json::json;

pub const CASES: &[Case] = crate::cases![
    nobody_runs_a_container_too,
    nobody_is_root_inside_and_only_inside,
    nobody_gets_the_same_guards,
    a_limit_is_refused_to_nobody_by_name,
];

fn nobody(name: &str, line: &str) -> Bundle {
    let mut bundle = Bundle::shell(name, line);
    bundle.unprivileged();
    bundle
}

fn nobody_runs_a_container_too() {
    let listed = nobody("rootless", "ls /").run().said();
    assert_eq!(listed.lines().collect::<Vec<_>>(), TOP_DIRECTORIES);
    assert_eq!(nobody("rootless-code", "exit 3").run().code, 3);
    let failure = Bundle::new("rootless-nope", &["nope"]).unprivileged().run().failed();
    assert_eq!(failure.exit_code, 127);
}

fn nobody_is_root_inside_and_only_inside() {
    let line = "id -u; id -g; hostname; echo $$; cat /proc/self/uid_map /proc/self/setgroups; touch /new && stat -c %u /new; \
        echo x > /dev/null && head -c 3 /dev/zero | wc -c";
    let said = nobody("rootless-id", line).run().said();
    let words: Vec<&str> = said.split_whitespace().collect();
    let outside = NOBODY.to_string();
    assert_eq!(words, ["0", "0", "rootless-id", "1", "0", &outside, "1", "deny", "0", "3"]);
}

fn nobody_gets_the_same_guards() {
    let line = "grep -E 'CapBnd|CapEff|Seccomp:' /proc/self/status; wc -c < /proc/interrupts; \
        echo 1 > /proc/sys/kernel/printk; mount -t tmpfs none /mnt; echo done";
    let mut bundle = nobody("rootless-guards", line);
    bundle.set("/process/noNewPrivileges", json!(true));
    let ran = bundle.run();
    assert_eq!(
        ran.stdout, "CapEff:\t00000000a80425fb\nCapBnd:\t00000000a80425fb\nSeccomp:\t2\n0\ndone\n",
        "{ran:?}"
    );
    assert!(ran.stderr.contains("ead-only file system"), "{ran:?}");
}

fn a_limit_is_refused_to_nobody_by_name() {
    let mut bundle = nobody("rootless-limit", "true");
    bundle.set("/linux/resources/memory", json!({"limit": 67108864}));
    let failure = bundle.run().failed();
    assert!(failure.message.contains("(--memory) needs the memory controller"), "{failure:?}");
    assert!(failure.message.ends_with(&format!("not delegated to user {NOBODY}")), "{failure:?}");
}
