//! Lines become instructions, instructions stages.

use super::directive::Directives;
use super::error::{Error, Problem};
use super::flag::Flags;
use super::form::{CommandForm, json};
use super::heredoc::Heredoc;
use super::instruction::{self, Health, Instruction, NameValue, Run};
use super::line::{self, Line};
use super::{Dockerfile, Stage, Step, pairs, transfer};
use crate::wire::duration;

/// Reads a whole file.
pub(super) fn dockerfile(text: &str) -> Result<Dockerfile, Error> {
    let directives = Directives::read(text)?;
    let (lines, warnings) = line::split(text, &directives)?;
    let mut file = Dockerfile { directives, global_args: Vec::new(), stages: Vec::new(), warnings };
    for line in lines {
        let number = line.number;
        take(&mut file, line).map_err(|problem| problem.at(number))?;
    }
    if file.stages.is_empty() {
        let problem = if file.global_args.is_empty() { Problem::Empty } else { Problem::NoStage };
        return Err(problem.at(1));
    }
    Ok(file)
}

fn take(file: &mut Dockerfile, line: Line) -> Result<(), Problem> {
    let escape = file.directives.escape;
    let (word, rest) = head(&line.text)?;
    if word == "FROM" {
        let stage = stage(&line, rest)?;
        file.stages.push(stage);
        return Ok(());
    }
    let instruction = instruction(word, rest, line.heredocs, escape)?;
    match (file.stages.last_mut(), instruction) {
        (None, Instruction::Arg(args)) => file.global_args.extend(args),
        (None, _) => return Err(Problem::NoStage),
        (Some(stage), instruction) => {
            stage.steps.push(Step { line: line.number, original: line.text, instruction });
        }
    }
    Ok(())
}

/// The instruction's word and what follows it.
fn head(text: &str) -> Result<(&'static str, &str), Problem> {
    let (word, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    let upper = word.to_ascii_uppercase();
    match instruction::NAMES.iter().find(|name| **name == upper) {
        Some(name) => Ok((name, rest.trim())),
        None => Err(Problem::UnknownInstruction { nearest: instruction::nearest(&upper), word: upper }),
    }
}

fn stage(line: &Line, rest: &str) -> Result<Stage, Problem> {
    let (flags, rest) = Flags::split(rest);
    flags.only(&["platform"], &[])?;
    let words: Vec<&str> = rest.split_whitespace().collect();
    let name = match words.as_slice() {
        [_] => None,
        [_, as_word, name] if as_word.eq_ignore_ascii_case("as") => {
            Some(stage_name(name).ok_or_else(|| Problem::StageName((*name).to_owned()))?)
        }
        _ => return Err(Problem::FromWords),
    };
    Ok(Stage {
        line: line.number,
        original: line.text.clone(),
        base: words[0].to_owned(),
        name,
        platform: flags.value("platform")?,
        steps: Vec::new(),
    })
}

/// `[a-z][a-z0-9-_.]*`, in lower case; the name of nothing is taken by `scratch`'s kin.
fn stage_name(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let mut bytes = lower.bytes();
    let begins = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let goes_on = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (begins && bytes.all(goes_on)).then_some(lower)
}

/// Reads one instruction; also what an image's `ONBUILD` left to do.
pub(super) fn instruction(
    word: &'static str,
    rest: &str,
    heredocs: Vec<Heredoc>,
    escape: char,
) -> Result<Instruction, Problem> {
    let no_flags = |rest| no_flags(rest);
    Ok(match word {
        "ADD" => Instruction::Add(transfer::transfer("ADD", rest, heredocs, escape)?),
        "COPY" => Instruction::Copy(transfer::transfer("COPY", rest, heredocs, escape)?),
        "ARG" => Instruction::Arg(args(rest, escape)?),
        "CMD" => Instruction::Cmd(CommandForm::parse(no_flags(rest)?)),
        "ENTRYPOINT" => Instruction::Entrypoint(CommandForm::parse(no_flags(rest)?)),
        "ENV" => Instruction::Env(pairs::parse("ENV", rest, escape)?),
        "LABEL" => Instruction::Label(pairs::parse("LABEL", rest, escape)?),
        "EXPOSE" => Instruction::Expose(at_least_one("EXPOSE", pairs::words(rest, escape))?),
        "HEALTHCHECK" => Instruction::Healthcheck(health(rest)?),
        "MAINTAINER" => Instruction::Maintainer(exactly_one("MAINTAINER", rest)?),
        "ONBUILD" => Instruction::Onbuild(onbuild(rest, &heredocs, escape)?),
        "RUN" => Instruction::Run(run(rest, heredocs)?),
        "SHELL" => {
            let words = json(rest).ok_or(Problem::ShellForm)?;
            Instruction::Shell(at_least_one("SHELL", words)?)
        }
        "STOPSIGNAL" => Instruction::Stopsignal(exactly_one("STOPSIGNAL", rest)?),
        "USER" => Instruction::User(exactly_one("USER", rest)?),
        "VOLUME" => Instruction::Volume(volumes(rest, escape)?),
        "WORKDIR" => Instruction::Workdir(exactly_one("WORKDIR", rest)?),
        other => return Err(Problem::UnknownInstruction { word: other.to_owned(), nearest: None }),
    })
}

/// One instruction by itself, as `ONBUILD` keeps it.
pub(super) fn one(text: &str, escape: char) -> Result<Instruction, Problem> {
    let (word, rest) = head(text)?;
    instruction(word, rest, Vec::new(), escape)
}

fn no_flags(rest: &str) -> Result<&str, Problem> {
    let (flags, rest) = Flags::split(rest);
    flags.only(&[], &[])?;
    Ok(rest)
}

fn exactly_one(of: &'static str, rest: &str) -> Result<String, Problem> {
    if rest.is_empty() { Err(Problem::ExactlyOne(of)) } else { Ok(rest.to_owned()) }
}

fn at_least_one(of: &'static str, words: Vec<String>) -> Result<Vec<String>, Problem> {
    if words.is_empty() { Err(Problem::AtLeastOne(of)) } else { Ok(words) }
}

fn args(rest: &str, escape: char) -> Result<Vec<NameValue>, Problem> {
    let words = at_least_one("ARG", pairs::words(rest, escape))?;
    words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some(("", _)) => Err(Problem::BlankName("ARG")),
            Some((name, value)) => Ok(NameValue { name: name.to_owned(), value: Some(value.to_owned()) }),
            None => Ok(NameValue { name: word, value: None }),
        })
        .collect()
}

fn volumes(rest: &str, escape: char) -> Result<Vec<String>, Problem> {
    let words = json(rest).unwrap_or_else(|| pairs::words(rest, escape));
    let words = at_least_one("VOLUME", words)?;
    if words.iter().any(|word| word.trim().is_empty()) {
        return Err(Problem::EmptyVolume);
    }
    Ok(words)
}

fn run(rest: &str, heredocs: Vec<Heredoc>) -> Result<Run, Problem> {
    let (flags, rest) = Flags::split(rest);
    flags.only(&["network", "security"], &["mount"])?;
    let refuse = |flag: &str, value: String, reason: &str| Problem::BadValue {
        value,
        flag: flag.to_owned(),
        reason: reason.to_owned(),
    };
    if let Some(security) = flags.value("security")?
        && security != "sandbox"
    {
        return Err(refuse("security", security, "security is not supported by learn"));
    }
    let network = flags.value("network")?;
    if let Some(asked) = network.as_deref().filter(|asked| !matches!(*asked, "default" | "none" | "host")) {
        return Err(refuse("network", asked.to_owned(), "it is one of default, none, host"));
    }
    let mounts = flags.values("mount")?;
    Ok(Run {
        mounts: mounts.iter().map(|text| transfer::mount(text)).collect::<Result<_, _>>()?,
        command: CommandForm::parse(rest),
        heredocs,
        network,
    })
}

fn onbuild(rest: &str, heredocs: &[Heredoc], escape: char) -> Result<String, Problem> {
    if rest.is_empty() {
        return Err(Problem::AtLeastOne("ONBUILD"));
    }
    if !heredocs.is_empty() {
        return Err(Problem::HeredocHere("ONBUILD"));
    }
    match head(rest)?.0 {
        "ONBUILD" => Err(Problem::ChainedOnbuild),
        forbidden @ ("FROM" | "MAINTAINER") => Err(Problem::OnbuildTrigger(forbidden)),
        _ => one(rest, escape).map(|_| rest.to_owned()),
    }
}

fn health(rest: &str) -> Result<Option<Health>, Problem> {
    let (flags, rest) = Flags::split(rest);
    flags.only(&["interval", "timeout", "start-period", "start-interval", "retries"], &[])?;
    let (kind, command) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    match kind.to_ascii_uppercase().as_str() {
        "" => return Err(Problem::AtLeastOne("HEALTHCHECK")),
        "NONE" if command.trim().is_empty() => return Ok(None),
        "NONE" => return Err(Problem::HealthNone),
        "CMD" => {}
        other => return Err(Problem::HealthType(other.to_owned())),
    }
    let command = CommandForm::parse(command);
    if command.is_empty() {
        return Err(Problem::HealthCommand);
    }
    let time = |name: &str| flags.value(name)?.map_or(Ok(0), |text| interval(&text));
    let retries = flags.value("retries")?.map_or(Ok(0), |text| match text.parse::<i32>() {
        Ok(number) if number >= 0 => Ok(i64::from(number)),
        _ => Err(Problem::HealthRetries(text)),
    })?;
    Ok(Some(Health {
        command,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("start-period")?,
        start_interval: time("start-interval")?,
        retries,
    }))
}

/// Nanoseconds, none or at least a millisecond.
fn interval(text: &str) -> Result<i64, Problem> {
    let nanoseconds = duration::parse(text).ok_or_else(|| Problem::Duration(text.to_owned()))?;
    if nanoseconds != 0 && nanoseconds < 1_000_000 {
        return Err(Problem::HealthInterval(text.to_owned()));
    }
    Ok(nanoseconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> (usize, String) {
        let error = Dockerfile::parse(text).unwrap_err();
        (error.line, error.problem.to_string())
    }

    #[test]
    fn stages_have_names_and_steps_their_lines() {
        let text = "ARG V=1\nFROM alpine:$V AS Build\nRUN a\n\nFROM scratch\nCOPY --from=build /a /a\nCMD [\"/a\"]\n";
        let file = Dockerfile::parse(text).unwrap();
        assert_eq!(file.global_args[0].value.as_deref(), Some("1"));
        assert_eq!(file.stages[0].name.as_deref(), Some("build"));
        assert_eq!((file.stages[1].line, file.stages[1].base.as_str()), (5, "scratch"));
        assert_eq!(file.stages[1].steps[1].line, 7);
        assert_eq!(file.stages[1].steps[1].original, "CMD [\"/a\"]");
    }

    #[test]
    fn each_mistake_has_dockers_words_and_its_line() {
        let cases = [
            ("", 1, "file with no instructions"),
            ("RUN a", 1, "no build stage in current context"),
            ("FROM a\n\nSIX b", 3, "unknown instruction: SIX"),
            ("FORM a", 1, "unknown instruction: FORM (did you mean FROM?)"),
            ("FROM a b", 1, "FROM requires either one or three arguments"),
            ("FROM a\nENV x", 2, "ENV must have two arguments"),
            ("FROM a\nSHELL /bin/sh", 2, "SHELL requires the arguments to be in JSON form"),
            ("FROM a\nHEALTHCHECK FOO", 2, "Unknown type \"FOO\" in HEALTHCHECK (try CMD)"),
            ("FROM a\nONBUILD ONBUILD RUN x", 2, "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"),
            ("FROM a\nONBUILD FROM x", 2, "FROM isn't allowed as an ONBUILD trigger"),
            ("FROM a\nCMD --x y", 2, "unknown flag: --x"),
            ("FROM a\nWORKDIR", 2, "WORKDIR requires exactly one argument"),
            (
                "FROM a AS 1x",
                1,
                "invalid name for build stage: \"1x\", name can't start with a number or contain symbols",
            ),
        ];
        for (text, line, message) in cases {
            assert_eq!(problem(text), (line, message.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_health_check_has_times_and_a_command() {
        let file = Dockerfile::parse(
            "FROM a\nHEALTHCHECK --interval=1m30s --retries=2 CMD [\"ok\"]\nHEALTHCHECK none",
        );
        let steps = &file.unwrap().stages[0].steps;
        let Instruction::Healthcheck(Some(health)) = &steps[0].instruction else { panic!("a check") };
        assert_eq!((health.interval, health.retries), (90_000_000_000, 2));
        assert_eq!(steps[1].instruction, Instruction::Healthcheck(None));
        assert_eq!(
            problem("FROM a\nHEALTHCHECK --interval=1us CMD x").1,
            "Interval \"1us\" cannot be less than 1ms"
        );
    }
}
