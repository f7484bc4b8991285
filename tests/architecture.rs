//! The shape of the source: which way imports go, how long files are, where `unsafe` may be.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Top modules, highest first. A module may import from lower ranks and from its own module;
/// modules of one rank do not know each other.
const RANKS: [&[&str]; 10] = [
    &["main"],
    &["cli"],
    &["client", "lesson"],
    &["api"],
    &["engine"],
    &["image", "build", "container", "volume", "hub"],
    &["network"],
    &["runtime"],
    &["kernel"],
    &["error", "text", "wire", "op", "trace"],
];

/// `cli` and `client` share only the leaves with `api` and what is below it: they speak to the
/// daemon over the socket.
const CLIENT_SIDE: [&str; 3] = ["cli", "client", "lesson"];

/// Leaves may know each other, in this order: later ones import earlier ones.
const LEAVES: [&str; 5] = ["error", "op", "trace", "text", "wire"];

/// Files longer than the limit, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// Lines a file may have.
const LIMIT: usize = 400;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every source file of the crate, by its path below `src`.
fn sources() -> BTreeMap<String, String> {
    let mut files = BTreeMap::new();
    collect(&root().join("src"), &mut files);
    assert!(files.len() > 20, "the source was found");
    files
}

fn collect(directory: &Path, files: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let name = path.strip_prefix(root().join("src")).unwrap().to_str().unwrap().to_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
}

/// The top module a file belongs to; `lib.rs` and build scripts belong to none.
fn module(file: &str) -> Option<&str> {
    match file {
        "lib.rs" | "hub/build.rs" | "text/build.rs" => None,
        _ if file.starts_with("hub/hello") => None,
        _ => Some(file.split('/').next().unwrap().trim_end_matches(".rs")),
    }
}

/// Top modules a file names: after `crate::` (also in braces), and after `learn::` in `main.rs`.
fn imports(source: &str) -> Vec<String> {
    let code: String = source
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .flat_map(|line| [line, "\n"])
        .collect();
    let mut found = Vec::new();
    for mark in ["crate::", "learn::"] {
        for (at, _) in code.match_indices(mark) {
            let before = code[..at].chars().next_back().unwrap_or(' ');
            if before.is_alphanumeric() || before == '_' || before == '$' || before == '"' {
                continue;
            }
            found.extend(heads(&code[at + mark.len()..]));
        }
    }
    found
}

/// The first names of a path: one, or those of a braced list.
fn heads(path: &str) -> Vec<String> {
    let name = |text: &str| -> String {
        text.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(list) = path.strip_prefix('{') else { return vec![name(path)] };
    let (mut depth, mut start, mut names) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                names.push(name(&list[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                names.push(name(&list[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

fn rank(module: &str) -> Option<usize> {
    RANKS.iter().position(|modules| modules.contains(&module))
}

/// Why `from` may not import `to`; `None` when it may.
fn objection(from: &str, to: &str) -> Option<String> {
    let (Some(high), Some(low)) = (rank(from), rank(to)) else { return None };
    let leaf = |module: &str| LEAVES.iter().position(|leaf| *leaf == module);
    if from == to {
        return None;
    }
    if let (Some(from_leaf), Some(to_leaf)) = (leaf(from), leaf(to)) {
        return (to_leaf > from_leaf).then(|| format!("leaf {from} imports {to}"));
    }
    if low <= high {
        return Some(format!("{from} imports {to}, which is not below it"));
    }
    let apart = CLIENT_SIDE.contains(&from) && !CLIENT_SIDE.contains(&to) && leaf(to).is_none();
    apart.then(|| format!("{from} imports {to}; the client's side shares only the leaves"))
}

#[test]
fn imports_only_go_down() {
    let mut objections = Vec::new();
    for (file, source) in sources() {
        let Some(from) = module(&file) else { continue };
        assert!(rank(from).is_some(), "{file}: module {from} has no rank");
        for to in imports(&source) {
            objections.extend(objection(from, &to).map(|objection| format!("{file}: {objection}")));
        }
    }
    objections.dedup();
    assert!(objections.is_empty(), "{}", objections.join("\n"));
}

#[test]
fn the_reading_of_imports_finds_what_it_must() {
    let source = "use crate::{op::{Op, fs}, trace::Record};\nfn f() { crate::text::ui() }\n// crate::api\n";
    assert_eq!(imports(source), ["op", "trace", "text"]);
    assert!(objection("engine", "api").is_some());
    assert!(objection("cli", "engine").is_some());
    assert!(objection("client", "lesson").is_some());
    assert!(objection("kernel", "text").is_none());
    assert!(objection("op", "trace").is_some());
}

#[test]
fn files_stay_short() {
    for (file, source) in sources() {
        let lines = source.lines().count();
        let excused = LONG_FILES.iter().any(|(long, _)| *long == file);
        assert!(lines <= LIMIT || excused, "{file} has {lines} lines");
        assert!(lines > LIMIT || !excused, "{file} needs no exception any more");
    }
}

#[test]
fn unsafe_code_is_in_one_file() {
    for (file, source) in sources() {
        if file == "kernel/linux/sys.rs" || file.starts_with("hub/hello") {
            continue;
        }
        for (index, line) in source.lines().enumerate() {
            let code = line.split("//").next().unwrap();
            let words = code.split(|c: char| !c.is_alphanumeric() && c != '_');
            let unsafe_here = words.filter(|word| *word == "unsafe").count() > 0 && !code.contains('"');
            assert!(!unsafe_here, "{file}:{}: unsafe outside kernel/linux/sys.rs", index + 1);
        }
    }
}

#[test]
fn nothing_is_left_undone() {
    let marks = [
        ["to", "do!("].concat(),
        ["unimple", "mented!("].concat(),
        ["TO", "DO"].concat(),
        ["FIX", "ME"].concat(),
    ];
    for (file, source) in sources() {
        for mark in &marks {
            assert!(!source.contains(mark.as_str()), "{file} holds {mark}");
        }
    }
}
