//! Flags Docker has and `learn` does not: refused by name with the reason, never ignored.

use crate::text::{Lang, ui};

/// One refused flag: long name, short name or `-`, and the reason's key under `refused` in
/// `lessons/ui.yaml`.
type Refused = (&'static str, char, &'static str);

/// Of `run` and `create`.
const CONTAINER: &[Refused] = &[
    ("kernel-memory", '-', "limits"),
    ("gpus", '-', "devices"),
    ("disable-content-trust", '-', "elsewhere"),
    ("use-api-socket", '-', "elsewhere"),
    ("cpu-count", '-', "windows"),
    ("cpu-percent", '-', "windows"),
    ("io-maxbandwidth", '-', "windows"),
    ("io-maxiops", '-', "windows"),
];

/// Of the verbs that print.
const PRINTING: &[Refused] = &[("format", 'f', "format"), ("no-trunc", '-', "format"), ("tree", '-', "tree")];

/// Of the verbs that look at or join a container.
const WATCHING: &[Refused] = &[
    ("detach-keys", '-', "terminal"),
    ("sig-proxy", '-', "attach"),
    ("checkpoint", '-', "elsewhere"),
    ("checkpoint-dir", '-', "elsewhere"),
];

/// Of `pull` and `rmi`.
const IMAGES: &[Refused] = &[("disable-content-trust", '-', "elsewhere"), ("platform", '-', "elsewhere")];

/// The sentence that refuses a flag (`--volume`, `-v`) of a verb; `None` for a flag Docker does
/// not have either.
pub fn reason(lang: Lang, verb: &str, flag: &str) -> Option<String> {
    let tables: &[&[Refused]] = match verb {
        "run" | "create" => &[CONTAINER],
        "pull" | "rmi" | "rm" => &[IMAGES, WATCHING],
        _ => &[PRINTING, WATCHING],
    };
    let name = flag.split('=').next().unwrap_or(flag);
    let named = |(long, short, _): &&Refused| match name.strip_prefix("--") {
        Some(name) => name == *long,
        None => *short != '-' && name.strip_prefix('-').is_some_and(|name| name.starts_with(*short)),
    };
    let (long, short, key) = tables.iter().flat_map(|table| table.iter()).find(named)?;
    let shown = match short {
        '-' => format!("--{long}"),
        short => format!("-{short}, --{long}"),
    };
    Some(format!("flag not supported: {shown}: {}", ui(lang, &format!("refused.{key}"), &[])))
}
