//! From words to a command, and from clap's errors to Docker's words.

use super::args::{Cli, Command as Verb};
use super::container::value;
use super::{Failure, help, own_flags, refuse};
use crate::text::{Lang, ui};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Command, CommandFactory, FromArgMatches};
use std::error::Error;

/// What the words ask for.
#[derive(Debug)]
pub enum Asked {
    /// A command.
    Command(Box<Cli>),
    /// Text for standard output: help or version.
    Text(String),
}

/// The language of a command line that may not be well-formed.
pub fn language(words: &[String]) -> Lang {
    let mut words = words.iter().map(String::as_str);
    let mut flag = None;
    while let Some(word) = words.next() {
        let value = if word == "--lang" { words.next() } else { word.strip_prefix("--lang=") };
        flag = value.and_then(|value| value.parse().ok()).or(flag);
    }
    Lang::detect(flag)
}

/// Reads the words of a command line, the program's name first.
///
/// # Errors
/// Usage errors in Docker's words.
pub fn parse(words: &[String], lang: Lang) -> Result<Asked, Failure> {
    let cli = tree().try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    match cli {
        Ok(mut cli) => {
            claim_own_flags(&mut cli)?;
            refuse_out_of_place(&cli, lang)?;
            Ok(Asked::Command(Box::new(cli)))
        }
        Err(error) => translate(&error, words, lang),
    }
}

/// The tree with the manners of Docker's flags: a switch may be set (`--rm=false`), and a value
/// may begin with a dash.
pub fn tree() -> Command {
    mannered(Cli::command())
}

fn mannered(command: Command) -> Command {
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    let command = command.mut_args(|argument| match argument.get_action() {
        ArgAction::SetTrue => argument
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_value("false")
            .default_missing_value("true")
            .hide_default_value(true)
            .value_name("BOOL")
            .value_parser(value::boolean),
        ArgAction::Set | ArgAction::Append
            if !argument.is_positional() && !argument.is_require_equals_set() =>
        {
            argument.allow_hyphen_values(true)
        }
        _ => argument,
    });
    names.iter().fold(command, |command, name| command.mut_subcommand(name, mannered))
}

/// `learn`'s flags behind the image count like those before it.
fn claim_own_flags(cli: &mut Cli) -> Result<(), Failure> {
    let Some((verb, shape)) = cli.command.shape_mut() else { return Ok(()) };
    let image = shape.image_and_command.remove(0);
    let own = own_flags::take(&mut shape.image_and_command).map_err(|problem| {
        Failure::Usage(format!("{problem}\n\nRun 'learn {verb} --help' for more information"))
    })?;
    shape.image_and_command.insert(0, image);
    cli.global.explain = own.explain.or(cli.global.explain);
    cli.global.step |= own.step;
    cli.global.lang = own.lang.or(cli.global.lang);
    Ok(())
}

/// `learn`'s options are accepted everywhere, so those that a verb could only ignore are refused
/// by hand.
fn refuse_out_of_place(cli: &Cli, lang: Lang) -> Result<(), Failure> {
    let lang = cli.global.lang.unwrap_or(lang);
    // Traces and sightings have a depth of their own to be told in.
    let has_depth = matches!(cli.command, Verb::Trace(_) | Verb::Watch(_));
    if cli.command.is_told() {
        return Ok(());
    }
    let global = &cli.global;
    let flags = [
        ("--step", global.step),
        ("--explain", global.explain.is_some() && !has_depth),
        ("--simulate", global.simulate),
        ("--hub", global.hub.is_some()),
    ];
    match flags.iter().find(|(_, present)| *present) {
        None => Ok(()),
        Some((flag, _)) => {
            Err(Failure::Usage(format!("flag not supported: {flag}: {}", ui(lang, "refused.not-here", &[]))))
        }
    }
}

/// The command line without `learn`'s own options: the title of its trace.
pub fn title(words: &[String]) -> String {
    const ALONE: [&str; 3] = ["--explain", "--step", "--simulate"];
    const WITH_VALUE: [&str; 5] = ["--host", "--root", "--lang", "--color", "--hub"];
    let mut shown = Vec::new();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        let name = word.split('=').next().unwrap_or(word);
        if WITH_VALUE.contains(&name) && !word.contains('=') {
            words.next();
        } else if !ALONE.contains(&name) && !WITH_VALUE.contains(&name) {
            shown.push(word);
        }
    }
    shell_words::join(shown)
}

fn translate(error: &clap::Error, words: &[String], lang: Lang) -> Result<Asked, Failure> {
    let mut tree = tree();
    tree.build();
    let path = path(&tree, words);
    let verb = path.split(' ').next_back().unwrap_or_default();
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let usage = |message: String| Err(Failure::Usage(with_usage(&tree, &path, &message)));
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => Ok(Asked::Text(help::render(&path, lang))),
        // Docker's client understands it wherever it means nothing else.
        ErrorKind::UnknownArgument if argument == "-h" => Ok(Asked::Text(help::render(&path, lang))),
        ErrorKind::DisplayVersion => Ok(Asked::Text(error.to_string())),
        ErrorKind::UnknownArgument if argument.starts_with('-') => usage(
            refuse::reason(lang, verb, &argument)
                .unwrap_or_else(|| unknown_flag(&tree, &path, &argument, words, lang)),
        ),
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => {
            Err(Failure::Arguments(wrong_count(&tree, &path, words)))
        }
        ErrorKind::MissingRequiredArgument => Err(Failure::Arguments(wrong_count(&tree, &path, words))),
        ErrorKind::InvalidSubcommand => {
            let unknown = context(ContextKind::InvalidSubcommand);
            Err(Failure::Arguments(unknown_command(&tree, &path, &unknown, lang)))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals => {
            let flag = argument.split([' ', '[', '=']).next().unwrap_or_default();
            let value = context(ContextKind::InvalidValue);
            if value.is_empty() && error.source().is_none() {
                return usage(lacks_value(flag, words));
            }
            let valid = context(ContextKind::ValidValue).replace(' ', ", ");
            let reason = match error.source() {
                Some(source) => format!(": {source}"),
                None if valid.is_empty() => String::new(),
                None => format!(": expected one of {valid}"),
            };
            usage(format!("invalid argument \"{value}\" for \"{}\" flag{reason}", named(&tree, &path, flag)))
        }
        _ => usage(
            error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        ),
    }
}

/// A complaint about a flag, with the shape of the command line.
fn with_usage(tree: &Command, path: &str, message: &str) -> String {
    let usage = usage_line(found(tree, path));
    format!("{message}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information")
}

fn usage_line(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim().to_owned()
}

/// The command of a path.
fn found<'a>(tree: &'a Command, path: &str) -> &'a Command {
    path.split(' ').skip(1).fold(tree, |command, name| command.find_subcommand(name).unwrap_or(command))
}

/// A flag by both its names: `-m, --memory`.
fn named(tree: &Command, path: &str, flag: &str) -> String {
    let long = flag.trim_start_matches("--");
    let argument = found(tree, path).get_arguments().find(|argument| argument.get_long() == Some(long));
    match argument.and_then(clap::Arg::get_short) {
        Some(short) => format!("-{short}, {flag}"),
        None => flag.to_owned(),
    }
}

/// A command nobody knows, and the one that was probably meant.
fn unknown_command(tree: &Command, path: &str, unknown: &str, lang: Lang) -> String {
    let command = found(tree, path);
    let usage = if path == "learn" { String::new() } else { format!("\n\nUsage:  {path}") };
    let names = command
        .get_subcommands()
        .flat_map(|below| std::iter::once(below.get_name()).chain(below.get_visible_aliases()));
    let meant = closest(unknown, names).map(|name| {
        let line = ui(lang, "usage.meant", &[("command", &format!("{path} {name}"))]);
        format!("\n\n{line}")
    });
    format!(
        "learn: unknown command: {path} {unknown}{usage}\n\nRun '{path} --help' for more information{}",
        meant.unwrap_or_default()
    )
}

/// The name that is one or two letters away.
fn closest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names
        .map(|name| (distance(word, name), name))
        .filter(|(far, name)| *far <= 2 && *far < name.chars().count());
    near.min_by_key(|(far, _)| *far).map(|(_, name)| name)
}

/// Letters to add, drop, change, or swap with their neighbour.
fn distance(one: &str, other: &str) -> usize {
    let (one, other): (Vec<char>, Vec<char>) = (one.chars().collect(), other.chars().collect());
    let mut rows = vec![vec![0; other.len() + 1]; one.len() + 1];
    for (above, row) in rows.iter_mut().enumerate() {
        row[0] = above;
    }
    rows[0] = (0..=other.len()).collect();
    for a in 1..=one.len() {
        for b in 1..=other.len() {
            let change = usize::from(one[a - 1] != other[b - 1]);
            let mut least = (rows[a - 1][b] + 1).min(rows[a][b - 1] + 1).min(rows[a - 1][b - 1] + change);
            if a > 1 && b > 1 && one[a - 1] == other[b - 2] && one[a - 2] == other[b - 1] {
                least = least.min(rows[a - 2][b - 2] + 1);
            }
            rows[a][b] = least;
        }
    }
    rows[one.len()][other.len()]
}

/// pflag's words, which repeat the cluster from the letter on.
fn lacks_value(flag: &str, words: &[String]) -> String {
    let last = words.last().map_or("", String::as_str);
    match last.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.chars().last()) {
        Some(letter) => format!("flag needs an argument: '{letter}' in -{letter}"),
        None => format!("flag needs an argument: {flag}"),
    }
}

/// pflag's words. clap names the letter alone; Docker repeats the cluster from it on.
fn unknown_flag(tree: &Command, path: &str, flag: &str, words: &[String], lang: Lang) -> String {
    let letter =
        flag.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.chars().next());
    let Some(letter) = letter else {
        let name = flag.split('=').next().unwrap_or(flag);
        let flags = found(tree, path).get_arguments().filter_map(clap::Arg::get_long);
        let meant = closest(name.trim_start_matches('-'), flags);
        let meant = meant.map(|meant| ui(lang, "usage.meant", &[("command", &format!("--{meant}"))]));
        return match meant {
            Some(meant) => format!("unknown flag: {name}\n\n{meant}"),
            None => format!("unknown flag: {name}"),
        };
    };
    let cluster = words
        .iter()
        .filter(|word| word.starts_with('-') && !word.starts_with("--"))
        .find_map(|word| word.find(letter).map(|place| format!("-{}", &word[place..])));
    format!("unknown shorthand flag: '{letter}' in {}", cluster.as_deref().unwrap_or(flag))
}

/// The command the words name, as far as they do: `learn container rm`.
fn path(tree: &Command, words: &[String]) -> String {
    let mut path = vec!["learn"];
    let mut command = tree;
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        if let Some(flag) = word.strip_prefix("--") {
            let takes_next = command.get_arguments().any(|argument| {
                argument.get_long() == Some(flag)
                    && argument.get_action().takes_values()
                    && !argument.is_require_equals_set()
            });
            if takes_next {
                words.next();
            }
        } else if !word.starts_with('-') {
            let Some(found) = command.find_subcommand(word) else { break };
            command = found;
            path.push(found.get_name());
        }
    }
    path.join(" ")
}

/// Docker's sentence about too few or too many arguments.
fn wrong_count(tree: &Command, path: &str, words: &[String]) -> String {
    let command = found(tree, path);
    let verb_at = words.iter().position(|word| Some(word.as_str()) == path.split(' ').next_back());
    let given = words.len() - verb_at.map_or(words.len(), |at| at + 1);
    let positionals: Vec<_> = command.get_positionals().collect();
    let required = positionals.iter().filter(|argument| argument.is_required_set()).count();
    let many = positionals.iter().any(|argument| matches!(argument.get_action(), clap::ArgAction::Append));
    let plural = |count: usize| if count == 1 { "argument" } else { "arguments" };
    let wants = match (required, positionals.len()) {
        (_, 0) => "accepts no arguments".to_owned(),
        (0, most) => format!("requires at most {most} {}", plural(most)),
        (least, _) if many => format!("requires at least {least} {}", plural(least)),
        (exactly, _) if given < exactly || positionals.len() == exactly => {
            format!("requires {exactly} {}", plural(exactly))
        }
        (_, most) => format!("requires at most {most} {}", plural(most)),
    };
    let usage = usage_line(command);
    // Docker has two words for it.
    let see = if wants.starts_with("requires at least") { "See" } else { "Run" };
    format!("learn: '{path}' {wants}\n\nUsage:  {usage}\n\n{see} '{path} --help' for more information")
}
