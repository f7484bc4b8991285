//! Models of the small tools an image's first commands use. Their words are busybox's: what a
//! program prints is its own and comes in its own language.

use super::program::Context;
use nix::errno::Errno;
use std::io;

/// A model as a plain function.
type Function = fn(&mut Context) -> io::Result<i32>;

/// All of them, by name.
pub(super) const ALL: [(&str, Function); 11] = [
    ("cat", cat),
    ("echo", echo),
    ("env", env),
    ("false", |_| Ok(1)),
    ("hostname", hostname),
    ("id", id),
    ("ls", ls),
    ("pwd", pwd),
    ("sh", sh),
    ("sleep", sleep),
    ("true", |_| Ok(0)),
];

/// Characters a plain command line does without.
const SHELL_SYNTAX: &[char] =
    &['|', '&', ';', '<', '>', '(', ')', '$', '`', '*', '?', '[', '#', '~', '=', '\n'];

fn cat(context: &mut Context) -> io::Result<i32> {
    let files = operands(context, &[])?;
    if files.is_empty() {
        copy_input(context)?;
    }
    let mut code = 0;
    for file in files {
        if file == "-" {
            copy_input(context)?;
            continue;
        }
        match context.read(&file) {
            Ok(bytes) => context.out(&bytes)?,
            Err(error) => {
                let line = format!("cat: can't open '{file}': {}\n", reason(&error));
                context.err(line.as_bytes())?;
                code = 1;
            }
        }
    }
    Ok(code)
}

fn copy_input(context: &mut Context) -> io::Result<()> {
    loop {
        let bytes = context.input()?;
        if bytes.is_empty() {
            return Ok(());
        }
        context.out(&bytes)?;
    }
}

fn echo(context: &mut Context) -> io::Result<i32> {
    let words = context.arguments();
    let (words, end) = match words.split_first() {
        Some((first, rest)) if first == "-n" => (rest, ""),
        _ => (words, "\n"),
    };
    let line = format!("{}{end}", words.join(" "));
    context.out(line.as_bytes())?;
    Ok(0)
}

fn env(context: &mut Context) -> io::Result<i32> {
    operands(context, &[])?.is_empty().then_some(()).ok_or_else(|| context.unsupported("COMMAND"))?;
    let lines: String = context.environment().iter().map(|entry| format!("{entry}\n")).collect();
    context.out(lines.as_bytes())?;
    Ok(0)
}

fn hostname(context: &mut Context) -> io::Result<i32> {
    operands(context, &[])?.is_empty().then_some(()).ok_or_else(|| context.unsupported("NAME"))?;
    let line = format!("{}\n", context.hostname()?);
    context.out(line.as_bytes())?;
    Ok(0)
}

fn id(context: &mut Context) -> io::Result<i32> {
    let arguments = context.arguments().to_vec();
    let (uid, gid) = context.identity()?;
    let line = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => {
            let user = named(context, "/etc/passwd", uid);
            let group = named(context, "/etc/group", gid);
            format!("uid={uid}{user} gid={gid}{group}\n")
        }
        ["-u"] => format!("{uid}\n"),
        ["-g"] => format!("{gid}\n"),
        _ => return Err(context.unsupported(&arguments.join(" "))),
    };
    context.out(line.as_bytes())?;
    Ok(0)
}

/// `(name)` of an id in a file of colon-separated lines; nothing where there is none.
fn named(context: &Context, file: &str, id: u32) -> String {
    let text = context.read(file).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let mut lines = text.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let found = lines.find(|fields| fields.get(2) == Some(&id.to_string().as_str()));
    found.map_or(String::new(), |fields| format!("({})", fields[0]))
}

fn ls(context: &mut Context) -> io::Result<i32> {
    let all = context.arguments().iter().any(|word| matches!(word.as_str(), "-a" | "-A" | "-1a" | "-a1"));
    let mut paths = operands(context, &["-1", "-a", "-A", "-1a", "-a1"])?;
    if paths.is_empty() {
        paths.push(".".to_owned());
    }
    let titled = paths.len() > 1;
    let mut code = 0;
    for (place, path) in paths.iter().enumerate() {
        let names = match context
            .is_directory(path)
            .and_then(|is| if is { context.list(path) } else { Ok(vec![path.clone()]) })
        {
            Ok(names) => names,
            Err(error) => {
                let line = format!("ls: {path}: {}\n", reason(&error));
                context.err(line.as_bytes())?;
                code = 1;
                continue;
            }
        };
        let shown = names.iter().filter(|name| all || !name.starts_with('.'));
        let mut text: String = shown.map(|name| format!("{name}\n")).collect();
        if titled && context.is_directory(path)? {
            text = format!("{}{path}:\n{text}", if place > 0 { "\n" } else { "" });
        }
        context.out(text.as_bytes())?;
    }
    Ok(code)
}

fn pwd(context: &mut Context) -> io::Result<i32> {
    let line = format!("{}\n", context.directory()?);
    context.out(line.as_bytes())?;
    Ok(0)
}

/// One plain command, or `exit N`. Anything with syntax of its own is refused by name.
fn sh(context: &mut Context) -> io::Result<i32> {
    let arguments = context.arguments().to_vec();
    let [option, script] = &arguments[..] else { return Err(context.unsupported(&arguments.join(" "))) };
    if option != "-c" || script.contains(SHELL_SYNTAX) {
        return Err(context.unsupported(&arguments.join(" ")));
    }
    let words = shell_words::split(script).map_err(|_| context.unsupported(script))?;
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => return Ok(0),
        ["exit"] => return Ok(0),
        ["exit", code] => {
            return code.parse().map(|code: i32| code & 0xff).map_err(|_| context.unsupported(script));
        }
        _ => {}
    }
    let name = words[0].clone();
    match context.replace(words)? {
        Some(model) => model(context),
        None => {
            let line = format!("sh: {name}: not found\n");
            context.err(line.as_bytes())?;
            Ok(127)
        }
    }
}

fn sleep(context: &mut Context) -> io::Result<i32> {
    let mut total = Some(0.0);
    for word in operands(context, &[])? {
        total = match duration(&word) {
            Some(None) => None,
            Some(Some(seconds)) => total.map(|total| total + seconds),
            None => {
                let line = format!("sleep: invalid number '{word}'\n");
                context.err(line.as_bytes())?;
                return Ok(1);
            }
        };
    }
    context.sleep(total)?;
    Ok(0)
}

/// Seconds; the inner `None` is for ever.
fn duration(word: &str) -> Option<Option<f64>> {
    if matches!(word, "inf" | "infinity") {
        return Some(None);
    }
    let (number, unit) = match word.strip_suffix(['s', 'm', 'h', 'd']) {
        Some(number) => (number, &word[number.len()..]),
        None => (word, "s"),
    };
    let factor = match unit {
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86_400.0,
        _ => 1.0,
    };
    number.parse::<f64>().ok().filter(|seconds| *seconds >= 0.0).map(|seconds| Some(seconds * factor))
}

/// Arguments that are no options; options not in `known` are refused.
fn operands(context: &Context, known: &[&str]) -> io::Result<Vec<String>> {
    let is_option = |word: &&String| word.len() > 1 && word.starts_with('-');
    if let Some(option) =
        context.arguments().iter().filter(is_option).find(|word| !known.contains(&word.as_str()))
    {
        return Err(context.unsupported(option));
    }
    Ok(context.arguments().iter().filter(|word| !is_option(word)).cloned().collect())
}

/// strerror(3)'s words.
fn reason(error: &io::Error) -> String {
    error.raw_os_error().map_or_else(|| error.to_string(), |errno| Errno::from_raw(errno).desc().to_owned())
}
