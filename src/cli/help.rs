//! `--help` in the learner's language. The tree in [`super::args`] says what is accepted; the
//! sentences are in `lessons/help.yaml`, a test finds one for every verb and option.

use super::args::Cli;
use crate::text::{self, Lang, Text};
use clap::{Command, CommandFactory};
use std::collections::BTreeMap;

const HELP: &str = include_str!(concat!(env!("OUT_DIR"), "/texts/help.json"));

/// `lessons/help.yaml`.
#[derive(Debug, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Help {
    /// Headings.
    pub headings: BTreeMap<String, Text>,
    /// Verb (`run`, `trace ls`) → its sentence.
    pub verbs: BTreeMap<String, Text>,
    /// Verb → what follows its options.
    pub after: BTreeMap<String, Text>,
    /// Options of `learn`'s own, and those that mean the same for every verb.
    pub everywhere: BTreeMap<String, Text>,
    /// Verb → option → its sentence.
    pub options: BTreeMap<String, BTreeMap<String, Text>>,
}

/// The sentences.
pub fn sentences() -> Help {
    text::book::embedded("help", HELP)
}

/// The help of a command path such as `learn container rm`.
pub fn render(path: &str, lang: Lang) -> String {
    let mut tree = translate(Cli::command(), "", &sentences(), lang);
    tree.build();
    let mut command = &mut tree;
    for name in path.split(' ').skip(1) {
        // The path was read from the same tree.
        match command.find_subcommand(name).is_some() {
            true => command = command.find_subcommand_mut(name).expect("just found"),
            false => break,
        }
    }
    command.render_help().to_string()
}

/// Verbs under a noun are the same verbs: `container run` is `run`.
pub fn verb_key(path: &str) -> &str {
    const SAME: [(&str, &str); 8] = [
        ("container ls", "ps"),
        ("container inspect", "inspect"),
        ("image inspect", "inspect"),
        ("image ls", "images"),
        ("image rm", "rmi"),
        ("image pull", "pull"),
        ("system info", "info"),
        ("system events", "events"),
    ];
    let same = SAME.iter().find(|(long, _)| *long == path).map(|(_, short)| *short);
    same.or_else(|| path.strip_prefix("container ")).unwrap_or(path)
}

fn translate(command: Command, path: &str, help: &Help, lang: Lang) -> Command {
    let key = verb_key(path);
    let heading = |name: &str| help.headings.get(name).map_or(name, |text| text.get(lang)).to_owned();
    let sentence = |id: &str| {
        let own = help.options.get(key).and_then(|options| options.get(id));
        own.or_else(|| help.everywhere.get(id)).map(|text| text.get(lang).to_owned())
    };
    let names: Vec<String> =
        command.get_subcommands().map(|subcommand| subcommand.get_name().to_owned()).collect();
    let template = format!("{}:  {{usage}}\n\n{{about}}\n\n{{all-args}}{{after-help}}", heading("usage"));
    let mut command = command
        .help_template(template)
        .about(help.verbs.get(key).map(|text| text.get(lang).to_owned()).unwrap_or_default())
        .subcommand_help_heading(heading("commands"))
        .mut_args(|argument| {
            let id = argument.get_id().as_str().to_owned();
            let own = argument.get_help_heading().is_some();
            let place = match (argument.is_positional(), own) {
                (true, _) => "arguments",
                (_, true) => "learn",
                _ => "options",
            };
            let values = argument.get_action().takes_values();
            let argument = argument.help(sentence(&id).unwrap_or_default()).help_heading(heading(place));
            if values { argument.hide_possible_values(true) } else { argument }
        });
    if let Some(after) = help.after.get(key) {
        command = command.after_help(format!("\n{}", after.get(lang)));
    }
    for name in names {
        let below = if path.is_empty() { name.clone() } else { format!("{path} {name}") };
        command = command.mut_subcommand(&name, |subcommand| translate(subcommand, &below, help, lang));
    }
    command
}

/// Every verb, and every option with its verb, that needs a sentence.
pub fn needed() -> Vec<(String, Option<String>)> {
    fn walk(command: &Command, path: &str, needed: &mut Vec<(String, Option<String>)>) {
        needed.push((verb_key(path).to_owned(), None));
        let options = command.get_arguments().filter(|argument| !argument.is_hide_set());
        needed.extend(
            options.map(|argument| (verb_key(path).to_owned(), Some(argument.get_id().as_str().to_owned()))),
        );
        for subcommand in command.get_subcommands() {
            let below = if path.is_empty() {
                subcommand.get_name().to_owned()
            } else {
                format!("{path} {}", subcommand.get_name())
            };
            walk(subcommand, &below, needed);
        }
    }
    let mut needed = Vec::new();
    walk(&Cli::command(), "", &mut needed);
    needed
}
