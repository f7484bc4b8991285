//! Exec form `["a", "b"]` and shell form `a b`.

/// A command as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandForm {
    /// The words themselves.
    Exec(Vec<String>),
    /// A line for the shell of `SHELL`.
    Shell(String),
}

impl CommandForm {
    /// Reads a command. What looks like a list but is no JSON list of strings is a shell line, as
    /// with Docker: `['a']` runs a program called `[a]`.
    pub fn parse(text: &str) -> CommandForm {
        match json(text) {
            Some(words) => CommandForm::Exec(words),
            None => CommandForm::Shell(text.trim().to_owned()),
        }
    }

    /// The words to execute.
    pub fn argv(&self, shell: &[String]) -> Vec<String> {
        match self {
            CommandForm::Exec(words) => words.clone(),
            CommandForm::Shell(line) => shell.iter().cloned().chain([line.clone()]).collect(),
        }
    }

    /// Whether there is nothing to run.
    pub fn is_empty(&self) -> bool {
        match self {
            CommandForm::Exec(words) => words.is_empty(),
            CommandForm::Shell(line) => line.is_empty(),
        }
    }
}

/// A JSON list of strings.
pub fn json(text: &str) -> Option<Vec<String>> {
    let text = text.trim_start();
    if !text.starts_with('[') {
        return None;
    }
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_executed_and_a_line_goes_to_the_shell() {
        let exec = CommandForm::parse(r#"[ "echo", "hello" ]"#);
        assert_eq!(exec, CommandForm::Exec(vec!["echo".into(), "hello".into()]));
        let shell = CommandForm::parse("['echo', 'hello']");
        assert_eq!(shell, CommandForm::Shell("['echo', 'hello']".into()));
        assert_eq!(shell.argv(&["/bin/sh".into(), "-c".into()])[2], "['echo', 'hello']");
        assert_eq!(CommandForm::parse(r#"["a", 1]"#), CommandForm::Shell(r#"["a", 1]"#.into()));
    }
}
