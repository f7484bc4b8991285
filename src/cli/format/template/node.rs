//! The tree of a template, and its text again: errors name the part that failed by it.

use super::print::quote;
use std::fmt;

/// Something to evaluate.
#[derive(Clone, Debug)]
pub enum Node {
    Bool(usize, bool),
    Dot(usize),
    Nil(usize),
    Number(usize, Number, String),
    /// A literal with its source.
    Text(usize, String, String),
    /// `.A.B`
    Field(usize, Vec<String>),
    /// `$x.A.B`: the variable with its sign, then fields.
    Variable(usize, Vec<String>),
    /// A function.
    Identifier(usize, String),
    /// Fields of something else: `(…).A.B`.
    Chain(usize, Box<Node>, Vec<String>),
    Pipe(Pipe),
}

/// A literal number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    Int(i64),
    Float(f64),
    /// Does not fit into an integer.
    Overflow,
}

/// `$x := a | b | c`
#[derive(Clone, Debug)]
pub struct Pipe {
    pub at: usize,
    /// `=` and not `:=`.
    pub assigns: bool,
    /// Names of variables with their sign.
    pub variables: Vec<String>,
    pub commands: Vec<Command>,
}

/// `f a b`
#[derive(Clone, Debug)]
pub struct Command {
    /// At least one.
    pub words: Vec<Node>,
}

/// A part of a template.
#[derive(Clone, Debug)]
pub enum Part {
    Text(String),
    Action(usize, Pipe),
    If(Branch),
    With(Branch),
    Range(Branch),
    Break,
    Continue,
    /// Another template by its name, and what it is given.
    Template(usize, String, Option<Pipe>),
}

/// What `if`, `with` and `range` share.
#[derive(Clone, Debug)]
pub struct Branch {
    pub pipe: Pipe,
    pub then: Vec<Part>,
    pub otherwise: Vec<Part>,
}

impl Node {
    /// Byte offset in the template.
    pub fn at(&self) -> usize {
        match self {
            Node::Bool(at, _)
            | Node::Dot(at)
            | Node::Nil(at)
            | Node::Number(at, ..)
            | Node::Text(at, ..)
            | Node::Field(at, _)
            | Node::Variable(at, _)
            | Node::Identifier(at, _)
            | Node::Chain(at, ..) => *at,
            Node::Pipe(pipe) => pipe.at,
        }
    }
}

impl fmt::Display for Node {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Node::Bool(_, value) => write!(out, "{value}"),
            Node::Dot(_) => out.write_str("."),
            Node::Nil(_) => out.write_str("nil"),
            Node::Number(_, _, text) | Node::Text(_, _, text) | Node::Identifier(_, text) => {
                out.write_str(text)
            }
            Node::Field(_, names) => names.iter().try_for_each(|name| write!(out, ".{name}")),
            Node::Variable(_, names) => out.write_str(&names.join(".")),
            Node::Chain(_, node, names) => {
                match **node {
                    Node::Pipe(_) => write!(out, "({node})")?,
                    _ => write!(out, "{node}")?,
                }
                names.iter().try_for_each(|name| write!(out, ".{name}"))
            }
            Node::Pipe(pipe) => write!(out, "{pipe}"),
        }
    }
}

impl fmt::Display for Pipe {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.variables.is_empty() {
            let sign = if self.assigns { "=" } else { ":=" };
            write!(out, "{} {sign} ", self.variables.join(", "))?;
        }
        let commands: Vec<String> = self.commands.iter().map(ToString::to_string).collect();
        out.write_str(&commands.join(" | "))
    }
}

impl fmt::Display for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&sentence(&self.words))
    }
}

/// A command's words.
pub fn sentence(words: &[Node]) -> String {
    words.iter().map(word).collect::<Vec<_>>().join(" ")
}

fn word(node: &Node) -> String {
    match node {
        Node::Pipe(pipe) => format!("({pipe})"),
        node => node.to_string(),
    }
}

/// `{{template "name" .}}`
pub fn invocation(name: &str, pipe: Option<&Pipe>) -> String {
    match pipe {
        Some(pipe) => format!("{{{{template {} {pipe}}}}}", quote(name)),
        None => format!("{{{{template {}}}}}", quote(name)),
    }
}
