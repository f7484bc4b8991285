//! Which programs the stand-in offers and in which directory, as the real `alpine` places them.

/// A directory and the programs in it.
pub type Shelf = (&'static str, &'static [&'static str]);

/// Programs taken from any source.
pub const PROGRAMS: &[Shelf] = &[
    (
        "bin",
        &[
            "cat", "chgrp", "chmod", "chown", "cp", "date", "dd", "df", "echo", "false", "grep", "hostname",
            "kill", "ln", "ls", "mkdir", "mktemp", "mount", "mv", "nice", "ping", "ps", "pwd", "rm", "rmdir",
            "sed", "sh", "sleep", "stat", "sync", "touch", "true", "umount", "uname",
        ],
    ),
    ("sbin", &["ip", "sysctl"]),
    (
        "usr/bin",
        &[
            "[",
            "awk",
            "basename",
            "cut",
            "dirname",
            "du",
            "env",
            "expr",
            "find",
            "free",
            "head",
            "id",
            "md5sum",
            "mkfifo",
            "nproc",
            "nsenter",
            "od",
            "printf",
            "readlink",
            "realpath",
            "seq",
            "sha256sum",
            "sort",
            "tac",
            "tail",
            "tee",
            "test",
            "timeout",
            "tr",
            "tty",
            "uniq",
            "unshare",
            "uptime",
            "wc",
            "which",
            "whoami",
            "xargs",
            "yes",
        ],
    ),
];

/// Programs taken from busybox only: elsewhere they need more files than themselves and their
/// libraries, such as a terminal database, or are no programs of their own.
pub const APPLETS: &[Shelf] = &[
    ("bin", &["ash", "gunzip", "gzip", "more", "netstat", "pidof", "tar", "watch"]),
    ("sbin", &["ifconfig", "route"]),
    (
        "usr/bin",
        &[
            "clear",
            "diff",
            "hexdump",
            "killall",
            "less",
            "nc",
            "nslookup",
            "time",
            "top",
            "traceroute",
            "unzip",
            "vi",
            "wget",
        ],
    ),
];

/// The programs without which the stand-in is of no use.
pub const REQUIRED: [&str; 2] = ["sh", "ls"];

/// Every program of `shelves` with its path in the image, in the order of those paths.
pub fn placed(shelves: &[Shelf]) -> Vec<(&'static str, String)> {
    let mut all: Vec<(&str, String)> = shelves
        .iter()
        .flat_map(|(directory, names)| names.iter().map(move |name| (*name, format!("{directory}/{name}"))))
        .collect();
    all.sort_by(|a, b| a.1.cmp(&b.1));
    all
}
