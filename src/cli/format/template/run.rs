//! Executes a template's parts, in the order and with the complaints of Go's text/template.

use super::function::{FUNCTIONS, Function};
use super::node::{Branch, Node, Number, Part, Pipe, invocation, sentence};
use super::parse::Templates;
use super::print::{plain, quote};
use super::value::Value;

/// Why execution stopped, in Go's words.
pub type Ran<T> = Result<T, Stop>;

/// What ends a part early.
pub enum Stop {
    /// `{{break}}`
    Break,
    /// `{{continue}}`
    Continue,
    /// The whole template.
    Error(String),
}

/// Templates that call one another forever end here, as in Go.
const DEEPEST: usize = 100_000;

/// One execution.
pub struct Run<'t> {
    pub text: &'t str,
    pub templates: &'t Templates,
    /// Functions that go before the usual ones.
    pub instead: &'t [Function],
    /// A key that a map does not have is an error.
    pub strict: bool,
    pub out: &'t mut String,
    /// Name and value; the innermost last.
    pub variables: Vec<(String, Value)>,
    /// Name of the template that is executed.
    pub name: &'t str,
    pub depth: usize,
    /// What is evaluated now: its place and its text, for errors.
    pub at: (usize, At<'t>),
}

/// A part of the tree, to be written in an error.
#[derive(Clone, Copy)]
pub enum At<'t> {
    Nothing,
    Node(&'t Node),
    Pipe(&'t Pipe),
    Action(&'t Pipe),
    Command(&'t [Node]),
    Template(&'t str, Option<&'t Pipe>),
}

impl std::fmt::Display for At<'_> {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            At::Nothing => Ok(()),
            At::Node(node) => write!(out, "{node}"),
            At::Pipe(pipe) => write!(out, "{pipe}"),
            At::Command(words) => out.write_str(&sentence(words)),
            At::Action(pipe) => write!(out, "{{{{{pipe}}}}}"),
            At::Template(name, pipe) => out.write_str(&invocation(name, *pipe)),
        }
    }
}

impl<'t> Run<'t> {
    pub fn node(&mut self, node: &'t Node) {
        self.at = (node.at(), At::Node(node));
    }

    /// `template: :1:2: executing "" at <.Foo>: …`
    pub fn error<T>(&self, what: impl std::fmt::Display) -> Ran<T> {
        let before = &self.text[..self.at.0.min(self.text.len())];
        let line = 1 + before.matches('\n').count();
        let column = before.rfind('\n').map_or(before.len(), |end| before.len() - end - 1);
        let (name, at) = (quote(self.name), &self.at.1);
        let parent = self.name;
        Err(Stop::Error(format!("template: {parent}:{line}:{column}: executing {name} at <{at}>: {what}")))
    }

    pub fn parts(&mut self, dot: &Value, parts: &'t [Part]) -> Ran<()> {
        parts.iter().try_for_each(|part| self.part(dot, part))
    }

    fn part(&mut self, dot: &Value, part: &'t Part) -> Ran<()> {
        match part {
            Part::Text(text) => self.out.push_str(text),
            Part::Action(at, pipe) => {
                self.at = (*at, At::Action(pipe));
                let value = self.pipe(dot, pipe)?;
                if pipe.variables.is_empty() {
                    self.at = (*at, At::Action(pipe));
                    self.out.push_str(&match value {
                        Value::Missing => "<no value>".to_owned(),
                        value => plain(&value),
                    });
                }
            }
            Part::If(branch) => self.choose(dot, branch, false)?,
            Part::With(branch) => self.choose(dot, branch, true)?,
            Part::Range(branch) => self.range(dot, branch)?,
            Part::Break => return Err(Stop::Break),
            Part::Continue => return Err(Stop::Continue),
            Part::Template(at, name, pipe) => self.template(dot, *at, name, pipe.as_ref())?,
        }
        Ok(())
    }

    fn choose(&mut self, dot: &Value, branch: &'t Branch, with: bool) -> Ran<()> {
        let mark = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let done = match value.is_true() {
            true if with => self.parts(&value, &branch.then),
            true => self.parts(dot, &branch.then),
            false => self.parts(dot, &branch.otherwise),
        };
        self.variables.truncate(mark);
        done
    }

    fn range(&mut self, dot: &Value, branch: &'t Branch) -> Ran<()> {
        let outside = self.variables.len();
        let value = self.pipe(dot, &branch.pipe)?;
        let many = branch.pipe.variables.len() > 1;
        let items: Vec<(Value, Value)> = match &value {
            Value::List(list) => {
                list.iter().cloned().enumerate().map(|(place, item)| (count(place), item)).collect()
            }
            Value::Map(map) => map.iter().map(|(key, item)| (Value::text(key), item.clone())).collect(),
            Value::Int(_) if many => {
                return self
                    .error(format!("can't use {} to iterate over more than one variable", plain(&value)));
            }
            Value::Int(most) => {
                (0..(*most).max(0)).map(|number| (Value::Int(number), Value::Int(number))).collect()
            }
            Value::Missing | Value::NoList | Value::NoMap => Vec::new(),
            other => return self.error(format!("range can't iterate over {}", plain(other))),
        };
        let mark = self.variables.len();
        for (index, item) in &items {
            self.set_loop_variables(&branch.pipe, index, item)?;
            match self.parts(item, &branch.then) {
                Ok(()) | Err(Stop::Continue) => self.variables.truncate(mark),
                Err(Stop::Break) => break,
                stopped => return stopped,
            }
        }
        let done = if items.is_empty() { self.parts(dot, &branch.otherwise) } else { Ok(()) };
        self.variables.truncate(outside);
        done
    }

    /// The last declared variable is the item, the one before it the key.
    fn set_loop_variables(&mut self, pipe: &'t Pipe, index: &Value, item: &Value) -> Ran<()> {
        let values: &[&Value] = if pipe.variables.len() > 1 { &[index, item] } else { &[item] };
        for (place, (name, value)) in pipe.variables.iter().zip(values).enumerate() {
            if pipe.assigns {
                self.assign(name, value)?;
            } else {
                let top = self.variables.len() - pipe.variables.len() + place;
                self.variables[top].1 = (*value).clone();
            }
        }
        Ok(())
    }

    fn template(&mut self, dot: &Value, at: usize, name: &'t str, pipe: Option<&'t Pipe>) -> Ran<()> {
        self.at = (at, At::Template(name, pipe));
        let Some(parts) = self.templates.get(name) else {
            return self.error(format!("template {} not defined", quote(name)));
        };
        if self.depth == DEEPEST {
            return self.error(format!("exceeded maximum template depth ({DEEPEST})"));
        }
        let dot = match pipe {
            Some(pipe) => self.pipe(dot, pipe)?,
            None => Value::Missing,
        };
        let variables = std::mem::replace(&mut self.variables, vec![("$".to_owned(), dot.clone())]);
        let caller = std::mem::replace(&mut self.name, name);
        self.depth += 1;
        self.parts(&dot, parts)?;
        self.depth -= 1;
        self.name = caller;
        self.variables = variables;
        Ok(())
    }

    /// The value of a pipeline, which is also that of the variables it declares.
    pub fn pipe(&mut self, dot: &Value, pipe: &'t Pipe) -> Ran<Value> {
        self.at = (pipe.at, At::Pipe(pipe));
        let mut value = None;
        for command in &pipe.commands {
            value = Some(self.command(dot, &command.words, value)?);
        }
        let value = value.unwrap_or(Value::Missing);
        for variable in &pipe.variables {
            match pipe.assigns {
                true => self.assign(variable, &value)?,
                false => self.variables.push((variable.clone(), value.clone())),
            }
        }
        Ok(value)
    }

    fn assign(&mut self, name: &str, value: &Value) -> Ran<()> {
        match self.variables.iter_mut().rev().find(|(known, _)| known == name) {
            Some(variable) => {
                variable.1 = value.clone();
                Ok(())
            }
            None => self.error(format!("undefined variable: {name}")),
        }
    }

    fn variable(&self, name: &str) -> Ran<Value> {
        match self.variables.iter().rev().find(|(known, _)| known == name) {
            Some((_, value)) => Ok(value.clone()),
            None => self.error(format!("undefined variable: {name}")),
        }
    }

    /// One command; `last` comes from the pipe.
    pub fn command(&mut self, dot: &Value, words: &'t [Node], last: Option<Value>) -> Ran<Value> {
        let first = &words[0];
        match first {
            Node::Field(_, names) => {
                self.node(first);
                self.fields(dot, dot.clone(), names, &words[1..], last)
            }
            Node::Chain(_, below, names) => {
                self.node(first);
                if matches!(**below, Node::Nil(_)) {
                    return self.error(format!("indirection through explicit nil in {first}"));
                }
                let value = self.argument(dot, None, below)?;
                self.fields(dot, value, names, &words[1..], last)
            }
            Node::Identifier(_, name) => self.function(dot, first, name, words, last),
            Node::Pipe(pipe) => {
                self.no_function(words, last.as_ref())?;
                self.pipe(dot, pipe)
            }
            Node::Variable(_, names) => {
                self.node(first);
                let value = self.variable(&names[0])?;
                if names.len() == 1 {
                    self.no_function(words, last.as_ref())?;
                    return Ok(value);
                }
                self.fields(dot, value, &names[1..], &words[1..], last)
            }
            constant => {
                self.node(constant);
                self.no_function(words, last.as_ref())?;
                match constant {
                    Node::Nil(_) => self.error("nil is not a command"),
                    other => self.constant(dot, other),
                }
            }
        }
    }

    fn no_function(&self, words: &[Node], last: Option<&Value>) -> Ran<()> {
        match words.len() > 1 || last.is_some() {
            true => self.error(format!("can't give argument to non-function {}", words[0])),
            false => Ok(()),
        }
    }

    pub fn constant(&self, dot: &Value, node: &Node) -> Ran<Value> {
        match node {
            Node::Bool(_, value) => Ok(Value::Bool(*value)),
            Node::Dot(_) => Ok(dot.clone()),
            Node::Text(_, text, _) => Ok(Value::text(text)),
            Node::Number(_, Number::Int(number), _) => Ok(Value::Int(*number)),
            Node::Number(_, Number::Float(number), _) => Ok(Value::Float(*number)),
            Node::Number(_, Number::Overflow, text) => self.error(format!("{text} overflows int")),
            other => self.error(format!("can't evaluate command {}", quote(&other.to_string()))),
        }
    }

    /// The function of a name.
    pub fn find(&self, name: &str) -> Option<&'t Function> {
        self.instead.iter().chain(FUNCTIONS).find(|function| function.name == name)
    }
}

fn count(place: usize) -> Value {
    Value::Int(i64::try_from(place).unwrap_or(i64::MAX))
}
