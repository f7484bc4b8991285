//! A trace without what no two runs share: ids, pids, inodes, times, ports, temporary paths.
//!
//! What is the same thing keeps the same name: the container's id is `<id>` wherever it appears,
//! and an inode is told as whose it is. Scopes that ran side by side are ordered by what they are
//! about; those of one scope otherwise stay in the order in which they began.

use crate::drive::Run;
use crate::worlds::World;
use learn::op::{FsOp, NetworkOp, Op};
use learn::trace::{Event, Facts, Note, Record, Scope};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Scopes whose siblings run side by side: the layers of one pull.
const SIDE_BY_SIDE: [Scope; 1] = [Scope::LayerFetch];

/// Facts that tell of the machine and not of what was done, each with its reason.
const OF_THE_MACHINE: [(&str, &str, &str); 2] = [
    ("network.create-sandbox", "inode", "counted by each kernel for itself"),
    ("network.create-sandbox", "path", "the number of a descriptor"),
];

/// One line for everything that happened, indented by scope.
pub fn lines(world: &World, run: &Run) -> Vec<String> {
    let names = Names::new(world, run);
    let mut tree = Tree::default();
    for record in &run.records {
        tree.add(record, &names);
    }
    let mut lines = Vec::new();
    tree.tell(0, 0, &mut lines);
    lines
}

/// The scopes in the order in which they are told.
#[derive(Default)]
struct Tree {
    scopes: BTreeMap<u32, Node>,
}

#[derive(Default)]
struct Node {
    /// What stands for the scope itself: kind, about, how it ended.
    kind: Option<Scope>,
    about: String,
    error: Option<String>,
    items: Vec<Item>,
}

enum Item {
    Line(String),
    Scope(u32),
}

impl Tree {
    fn add(&mut self, record: &Record, names: &Names) {
        match &record.event {
            Event::Opened { id, kind, about } => {
                let node = self.scopes.entry(*id).or_default();
                (node.kind, node.about) = (Some(*kind), names.text(about));
                self.scopes.entry(record.scope).or_default().items.push(Item::Scope(*id));
            }
            Event::Closed { error, .. } => {
                let error = error.as_deref().map(|error| names.text(error));
                self.scopes.entry(record.scope).or_default().error = error;
            }
            event => {
                let line = names.line(event);
                self.scopes.entry(record.scope).or_default().items.push(Item::Line(line));
            }
        }
    }

    fn tell(&self, id: u32, depth: usize, lines: &mut Vec<String>) {
        let Some(node) = self.scopes.get(&id) else { return };
        let indent = "  ".repeat(depth);
        for item in self.ordered(node) {
            match item {
                Item::Line(line) => lines.push(format!("{indent}{line}")),
                Item::Scope(id) => {
                    let scope = &self.scopes[id];
                    let kind = scope.kind.map_or("?", Scope::name);
                    let end = scope.error.as_ref().map_or(String::new(), |error| format!(" ✗ {error}"));
                    lines.push(format!("{indent}[{kind}] {}{end}", scope.about));
                    self.tell(*id, depth + 1, lines);
                }
            }
        }
    }

    /// The places that side-by-side scopes have among the items stay; who has which is settled.
    fn ordered<'a>(&'a self, node: &'a Node) -> Vec<&'a Item> {
        let concurrent = |item: &&Item| match item {
            Item::Scope(id) => self.scopes[id].kind.is_some_and(|kind| SIDE_BY_SIDE.contains(&kind)),
            Item::Line(_) => false,
        };
        let mut scopes: Vec<&Item> = node.items.iter().filter(concurrent).collect();
        scopes.sort_by_key(|item| match item {
            Item::Scope(id) => self.scopes[id].about.clone(),
            Item::Line(_) => String::new(),
        });
        let mut scopes = scopes.into_iter();
        let place = |item| if concurrent(&item) { scopes.next().unwrap_or(item) } else { item };
        node.items.iter().map(place).collect()
    }
}

/// What this run called things, and what they are called here.
struct Names {
    /// Parts of texts; longer ones first.
    parts: Vec<(String, &'static str)>,
    /// Whole texts: process ids.
    whole: BTreeMap<String, &'static str>,
}

impl Names {
    fn new(world: &World, run: &Run) -> Names {
        let places = world.engine.places();
        let host = |url: &str| url.trim_start_matches("http://").to_owned();
        let mut parts = vec![
            (places.root.clone(), "<root>"),
            (places.run.clone(), "<run>"),
            (host(&world.addresses.registry), "<registry>"),
            (host(&world.addresses.cdn), "<cdn>"),
        ];
        let mut whole = BTreeMap::new();
        for record in &run.records {
            match &record.event {
                Event::Note { note: Note::NameChosen, facts } => {
                    parts.push((facts["name"].clone(), "<name>"))
                }
                Event::Will { op: Op::Fs(FsOp::CreateDirectory { path, .. }) } => {
                    let below = path.strip_prefix(&format!("{}/", places.containers()));
                    if let Some(id) = below.and_then(|rest| rest.split('/').next()) {
                        parts.push((id.to_owned(), "<id>"));
                        parts.push((id[..12].to_owned(), "<short>"));
                    }
                }
                Event::Will { op: Op::Fs(FsOp::WriteFile { path, .. }) } => {
                    let below = path.strip_prefix(&format!("{}/", places.networks()));
                    if let Some(id) = below.and_then(|file| file.strip_suffix(".json")) {
                        parts.push((id.to_owned(), "<network>"));
                        parts.push((id[..12].to_owned(), "<network>"));
                    }
                }
                Event::Will { op: Op::Network(op) } => parts.extend(of_networks(op)),
                Event::Did { op, facts, .. } if op == "network.create-sandbox" => {
                    parts.push((facts["path"].clone(), "<sandbox>"));
                }
                Event::Did { op, facts, .. } if op == "network.listen" => {
                    parts.push((format!(":{}", facts["port"]), ":<port>"));
                    whole.insert(facts["port"].clone(), "<port>");
                }
                Event::Did { op, facts, .. } if op == "process.spawn-proxy" => {
                    whole.insert(facts["pid"].clone(), "<proxy>");
                }
                Event::Did { op, facts, .. } if op == "process.spawn-shim" => {
                    whole.insert(facts["pid"].clone(), "<shim>");
                }
                Event::Did { op, facts, .. } if op == "namespace.clone" => {
                    whole.insert(facts["pid"].clone(), "<init>");
                }
                _ => {}
            }
        }
        parts.sort_by_key(|(part, _)| std::cmp::Reverse(part.len()));
        Names { parts, whole }
    }

    fn text(&self, text: &str) -> String {
        if let Some(name) = self.whole.get(text) {
            return (*name).to_owned();
        }
        if let Some((pid, file)) = text.strip_prefix("/proc/").and_then(|rest| rest.split_once('/'))
            && let Some(name) = self.whole.get(pid)
        {
            return format!("/proc/{name}/{file}");
        }
        let named =
            self.parts.iter().fold(text.to_owned(), |text, (part, name)| text.replace(part.as_str(), name));
        without_times(&without_staging(&named))
    }

    fn line(&self, event: &Event) -> String {
        let value = match event {
            Event::Note { note: Note::NamespaceInodes, facts } => {
                json!({ "event": "note", "note": "namespace-inodes", "facts": whose(facts, &self.whole) })
            }
            event => serde_json::to_value(event).expect("records are json"),
        };
        let mut value = self.value(value);
        if let Value::Object(fields) = &mut value {
            fields.remove("took");
            let subject = ["op", "note"].iter().find_map(|key| Some(fields.get(*key)?.as_str()?.to_owned()));
            if let (Some(subject), Some(Value::Object(facts))) = (subject, fields.get_mut("facts")) {
                facts.retain(|key, _| {
                    !OF_THE_MACHINE.iter().any(|(of, fact, _)| *of == subject && fact == key)
                });
            }
        }
        value.to_string()
    }

    fn value(&self, value: Value) -> Value {
        match value {
            Value::String(text) => self.text(&text).into(),
            Value::Array(items) => items.into_iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => {
                let field = |(key, value): (String, Value)| match value {
                    Value::Number(pid) if key == "pid" => (key, self.text(&pid.to_string()).into()),
                    value => (key, self.value(value)),
                };
                fields.into_iter().map(field).collect()
            }
            other => other,
        }
    }
}

/// Names and addresses of networks, which engines side by side choose so that they differ.
fn of_networks(op: &NetworkOp) -> Vec<(String, &'static str)> {
    match op {
        NetworkOp::CreateBridge { name, .. } => vec![(name.clone(), "<bridge>")],
        NetworkOp::AttachToBridge { bridge, .. } => vec![(bridge.clone(), "<bridge>")],
        NetworkOp::CreateVeth { host, mac, .. } => vec![(host.clone(), "<veth>"), (mac.clone(), "<mac>")],
        NetworkOp::AddAddress { address, .. } => {
            let network: Vec<&str> = address.split('.').take(2).collect();
            vec![(format!("{}.", network.join(".")), "<net>.")]
        }
        NetworkOp::ReplaceRules { table, .. } => vec![(table.clone(), "<table>")],
        _ => Vec::new(),
    }
}

/// Inodes as what matters of them: whether a namespace is the host's or the container's own.
fn whose(facts: &Facts, pids: &BTreeMap<String, &'static str>) -> BTreeMap<String, String> {
    let tell = |(key, inode): (&String, &String)| {
        let told = match facts.get(&format!("host-{key}")) {
            Some(of_host) if of_host == inode => "the host's",
            Some(_) => "its own",
            None if key.starts_with("host-") => "an inode",
            None => pids.get(inode).copied().unwrap_or("?"),
        };
        (key.clone(), told.to_owned())
    };
    facts.iter().map(tell).collect()
}

/// `….new-1a2b3c4d` is where a tree is made before it is moved into place.
fn without_staging(text: &str) -> String {
    const MARK: &str = ".new-";
    let Some((before, after)) = text.split_once(MARK) else { return text.to_owned() };
    let rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    let random = if rest.len() < after.len() { "<random>" } else { "" };
    format!("{before}{MARK}{random}{}", without_staging(rest))
}

/// Replaces RFC 3339 instants, `2026-01-31T…Z`.
fn without_times(text: &str) -> String {
    let Some(at) = text.find("T").filter(|at| *at >= 10) else { return text.to_owned() };
    let is_date = text.get(at - 10..at).is_some_and(|date| {
        date.bytes().enumerate().all(|(place, byte)| match place {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        })
    });
    match (is_date, text[at..].find('Z')) {
        (true, Some(end)) => format!("{}<time>{}", &text[..at - 10], without_times(&text[at + end + 1..])),
        _ => text.to_owned(),
    }
}

/// The first difference, with what leads to it; `None` when both are the same.
pub fn difference(sim: &[String], linux: &[String]) -> Option<String> {
    let at = (0..sim.len().max(linux.len())).find(|at| sim.get(*at) != linux.get(*at))?;
    let before = linux[at.saturating_sub(12)..at.min(linux.len())].join("\n  ");
    let rest = |lines: &[String]| lines.get(at..(at + 4).min(lines.len())).unwrap_or_default().join("\n  ");
    Some(format!(
        "the traces part at line {at} of {} (sim) and {} (linux)\n  {before}\nsim:\n  {}\nlinux:\n  {}",
        sim.len(),
        linux.len(),
        rest(sim),
        rest(linux)
    ))
}

#[test]
fn whatever_differs_is_found_and_shown() {
    let lines = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
    let whole = lines(&["a", "b", "c"]);
    assert_eq!(difference(&whole, &whole), None);
    let other = difference(&whole, &lines(&["a", "x", "c"])).expect("another line");
    assert!(other.contains("line 1") && other.contains("  b") && other.contains("  x"), "{other}");
    assert!(difference(&whole, &lines(&["a", "b"])).expect("one is missing").contains("line 2"));
}

#[test]
fn what_no_two_runs_share_is_taken_out() {
    assert_eq!(without_times("at 2026-11-21T08:00:00.000000001Z, then T"), "at <time>, then T");
    assert_eq!(
        without_staging("/l/ab.new-01ef23ab/etc process.new-session"),
        "/l/ab.new-<random>/etc process.new-session"
    );
}
