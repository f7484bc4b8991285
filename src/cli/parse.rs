//! From words to a command, and from clap's errors to Docker's words.

use super::args::{Cli, Command as Verb};
use super::{Failure, help, own_flags, refuse};
use crate::text::{Lang, ui};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, CommandFactory, FromArgMatches};

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
    let tree = Cli::command();
    let cli = tree.try_get_matches_from(words).and_then(|matches| Cli::from_arg_matches(&matches));
    match cli {
        Ok(mut cli) => {
            claim_own_flags(&mut cli)?;
            refuse_out_of_place(&cli, lang)?;
            Ok(Asked::Command(Box::new(cli)))
        }
        Err(error) => translate(&error, words, lang),
    }
}

/// `learn`'s flags behind the image count like those before it.
fn claim_own_flags(cli: &mut Cli) -> Result<(), Failure> {
    let Some((verb, shape)) = cli.command.shape_mut() else { return Ok(()) };
    let image = shape.image_and_command.remove(0);
    let own = own_flags::take(&mut shape.image_and_command)
        .map_err(|problem| Failure::Usage(format!("{problem}\nSee 'learn {verb} --help'.")))?;
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
    let mut tree = Cli::command();
    tree.build();
    let path = path(&tree, words);
    let verb = path.split(' ').next_back().unwrap_or_default();
    let see = format!("See '{path} --help'.");
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.join(" "),
        _ => String::new(),
    };
    let argument = context(ContextKind::InvalidArg);
    let usage = |message: String| Err(Failure::Usage(format!("{message}\n{see}")));
    match error.kind() {
        ErrorKind::DisplayHelp
        | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
        | ErrorKind::MissingSubcommand => Ok(Asked::Text(help::render(&path, lang))),
        // Docker's client understands it wherever it means nothing else.
        ErrorKind::UnknownArgument if argument == "-h" => Ok(Asked::Text(help::render(&path, lang))),
        ErrorKind::DisplayVersion => Ok(Asked::Text(error.to_string())),
        ErrorKind::UnknownArgument if argument.starts_with('-') => {
            usage(refuse::reason(lang, verb, &argument).unwrap_or_else(|| unknown_flag(&argument, words)))
        }
        ErrorKind::UnknownArgument | ErrorKind::TooManyValues => {
            Err(Failure::Arguments(wrong_count(&tree, &path, words)))
        }
        ErrorKind::MissingRequiredArgument => Err(Failure::Arguments(wrong_count(&tree, &path, words))),
        ErrorKind::InvalidSubcommand => {
            let unknown = context(ContextKind::InvalidSubcommand);
            Err(Failure::Arguments(format!(
                "learn: unknown command: {path} {unknown}\n\nRun '{path} --help' for more information"
            )))
        }
        ErrorKind::InvalidValue | ErrorKind::ValueValidation | ErrorKind::NoEquals => {
            let flag = argument.split(' ').next().unwrap_or_default();
            let flag = flag.split(['[', '=']).next().unwrap_or_default();
            let value = context(ContextKind::InvalidValue);
            match (value.is_empty(), context(ContextKind::ValidValue)) {
                (true, _) => usage(format!("flag needs an argument: {flag}")),
                (false, valid) if valid.is_empty() => {
                    usage(format!("invalid argument \"{value}\" for \"{flag}\" flag"))
                }
                (false, valid) => {
                    let valid = valid.replace(' ', ", ");
                    usage(format!(
                        "invalid argument \"{value}\" for \"{flag}\" flag: expected one of {valid}"
                    ))
                }
            }
        }
        _ => usage(
            error.to_string().lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned(),
        ),
    }
}

/// pflag's words. clap names the letter alone; Docker repeats the cluster it stood in.
fn unknown_flag(flag: &str, words: &[String]) -> String {
    let letter =
        flag.strip_prefix('-').filter(|rest| !rest.starts_with('-')).and_then(|rest| rest.chars().next());
    let Some(letter) = letter else {
        return format!("unknown flag: {}", flag.split('=').next().unwrap_or(flag));
    };
    let cluster = words
        .iter()
        .find(|word| word.starts_with('-') && !word.starts_with("--") && word.contains(letter))
        .map_or(flag, String::as_str);
    format!("unknown shorthand flag: '{letter}' in {cluster}")
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
    let mut command = tree;
    for name in path.split(' ').skip(1) {
        command = command.find_subcommand(name).unwrap_or(command);
    }
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
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ").trim();
    format!("learn: '{path}' {wants}\n\nUsage:  {usage}\n\nRun '{path} --help' for more information")
}
