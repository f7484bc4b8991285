//! Fields, methods and functions within an execution: what is called, and whether it may be with
//! these arguments.

use super::function::Type;
use super::node::{Node, Number};
use super::print::quote;
use super::run::{At, Ran, Run};
use super::value::Value;

impl<'t> Run<'t> {
    /// `.A.B.C` of a value; only the last may be called with arguments.
    pub fn fields(
        &mut self,
        dot: &Value,
        value: Value,
        names: &'t [String],
        arguments: &'t [Node],
        last: Option<Value>,
    ) -> Ran<Value> {
        let Some((end, way)) = names.split_last() else { return Ok(value) };
        let mut value = value;
        for name in way {
            value = self.field(dot, &value, name, &[], None)?;
        }
        self.field(dot, &value, end, arguments, last)
    }

    fn field(
        &mut self,
        dot: &Value,
        value: &Value,
        name: &'t str,
        arguments: &'t [Node],
        last: Option<Value>,
    ) -> Ran<Value> {
        let called = !arguments.is_empty() || last.is_some();
        match value {
            Value::Missing if self.strict => {
                self.error(format!("nil data; no entry for key {}", quote(name)))
            }
            Value::Missing => Ok(Value::Missing),
            Value::Nil => self.error(format!("nil pointer evaluating interface {{}}.{name}")),
            Value::Map(_) | Value::NoMap if called => {
                self.error(format!("{name} is not a method but has arguments"))
            }
            Value::Map(map) => match map.get(name) {
                Some(found) => Ok(found.clone()),
                None if self.strict => self.error(format!("map has no entry for key {}", quote(name))),
                None => Ok(Value::Missing),
            },
            Value::NoMap if self.strict => self.error(format!("map has no entry for key {}", quote(name))),
            Value::NoMap => Ok(Value::Missing),
            Value::Struct(fields) => match fields.iter().find(|(field, _)| field == name) {
                Some(_) if called => {
                    self.error(format!("{name} has arguments but cannot be invoked as function"))
                }
                Some((_, found)) => Ok(found.clone()),
                None => self.error(format!("can't evaluate field {name} in type {}", value.type_name())),
            },
            Value::Object(object) => {
                if let Some(method) = object.method(name) {
                    let given = self.arguments(dot, name, &[Type::Text], None, arguments, last)?;
                    return Ok(method(super::docker::word(&given[0])));
                }
                match object.field(name) {
                    Some(found) => {
                        self.arguments(dot, name, &[], None, arguments, last)?;
                        Ok(found)
                    }
                    None if object.is_map() => Ok(Value::Missing),
                    None => self.error(format!("can't evaluate field {name} in type {}", object.type_name())),
                }
            }
            other => self.error(format!("can't evaluate field {name} in type {}", other.type_name())),
        }
    }

    pub fn function(
        &mut self,
        dot: &Value,
        node: &'t Node,
        name: &'t str,
        words: &'t [Node],
        last: Option<Value>,
    ) -> Ran<Value> {
        self.node(node);
        let arguments = &words[1..];
        let Some(function) = self.find(name) else {
            return self.error(format!("{} is not a defined function", quote(name)));
        };
        if matches!(name, "and" | "or") {
            self.count(name, function.takes, function.more, arguments.len() + usize::from(last.is_some()))?;
            return self.short_circuit(dot, name == "or", arguments, last);
        }
        let given = self.arguments(dot, name, function.takes, function.more, arguments, last)?;
        (function.call)(&given).or_else(|problem| {
            self.at = (node.at(), At::Command(words));
            let problem = match words.get(1) {
                Some(word) if name == "call" => problem.replace("{}", &word.to_string()),
                _ => problem,
            };
            self.error(format!("error calling {name}: {problem}"))
        })
    }

    /// `and` and `or` look no further than they must.
    fn short_circuit(
        &mut self,
        dot: &Value,
        ends_on: bool,
        arguments: &'t [Node],
        last: Option<Value>,
    ) -> Ran<Value> {
        let mut value = Value::Missing;
        for argument in arguments {
            value = self.argument(dot, Some(Type::Value), argument)?;
            if value.is_true() == ends_on {
                return Ok(value);
            }
        }
        Ok(last.unwrap_or(value))
    }

    fn count(&self, name: &str, takes: &[Type], more: Option<Type>, given: usize) -> Ran<()> {
        let want = takes.len();
        if more.is_some() && given < want {
            return self.error(format!("wrong number of args for {name}: want at least {want} got {given}"));
        }
        if more.is_none() && given != want {
            return self.error(format!("wrong number of args for {name}: want {want} got {given}"));
        }
        Ok(())
    }

    /// The values of arguments, each of the type it has to have.
    fn arguments(
        &mut self,
        dot: &Value,
        name: &str,
        takes: &[Type],
        more: Option<Type>,
        words: &'t [Node],
        last: Option<Value>,
    ) -> Ran<Vec<Value>> {
        self.count(name, takes, more, words.len() + usize::from(last.is_some()))?;
        let kind = |place: usize| takes.get(place).copied().or(more);
        let mut given = Vec::new();
        for (place, word) in words.iter().enumerate() {
            given.push(self.argument(dot, kind(place), word)?);
        }
        if let Some(last) = last {
            let checked = self.checked(last, kind(given.len()))?;
            given.push(checked);
        }
        Ok(given)
    }

    /// One argument; with no type it may be anything.
    pub fn argument(&mut self, dot: &Value, kind: Option<Type>, node: &'t Node) -> Ran<Value> {
        self.node(node);
        let value = match node {
            Node::Dot(_) => dot.clone(),
            Node::Nil(_) => match kind {
                Some(kind) if kind.takes_nil() => return Ok(Value::Nil),
                Some(kind) => return self.error(format!("cannot assign nil to {}", kind.name())),
                None => Value::Nil,
            },
            Node::Field(_, names) => self.fields(dot, dot.clone(), names, &[], None)?,
            Node::Variable(..) | Node::Chain(..) | Node::Identifier(..) => {
                self.command(dot, std::slice::from_ref(node), None)?
            }
            Node::Pipe(pipe) => self.pipe(dot, pipe)?,
            Node::Bool(..) | Node::Number(..) | Node::Text(..) => return self.literal(dot, kind, node),
        };
        self.checked(value, kind)
    }

    fn literal(&self, dot: &Value, kind: Option<Type>, node: &Node) -> Ran<Value> {
        match (kind, node) {
            (Some(Type::Text), Node::Text(..)) | (Some(Type::Any | Type::Value) | None, _) => {
                self.constant(dot, node)
            }
            (Some(Type::Text), other) => self.error(format!("expected string; found {other}")),
            (Some(Type::Int), Node::Number(_, Number::Int(_), _)) => self.constant(dot, node),
            (Some(Type::Int), other) => self.error(format!("expected integer; found {other}")),
            (Some(kind @ Type::Texts), other) => {
                self.error(format!("can't handle {other} for arg of type {}", kind.name()))
            }
        }
    }

    fn checked(&self, value: Value, kind: Option<Type>) -> Ran<Value> {
        let Some(kind) = kind else { return Ok(value) };
        let fits = match (kind, &value) {
            (_, Value::Missing | Value::Nil) if kind.takes_nil() => true,
            (_, Value::Missing) => return self.error(format!("invalid value; expected {}", kind.name())),
            (Type::Any | Type::Value, _) | (Type::Text, Value::Text(_)) | (Type::Int, Value::Int(_)) => true,
            (Type::Texts, Value::NoList) => true,
            (Type::Texts, Value::List(list)) => list.iter().all(|item| matches!(item, Value::Text(_))),
            _ => false,
        };
        match fits {
            true => Ok(value),
            false => self.error(format!(
                "wrong type for value; expected {}; got {}",
                kind.name(),
                value.type_name()
            )),
        }
    }
}
