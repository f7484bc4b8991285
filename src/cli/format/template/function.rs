//! What a template may call: Go's own functions and those Docker adds, each with the types of
//! its arguments.

use super::value::Value;
use super::{compare, docker, json, print, printf, text};

/// The type of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Type {
    /// `interface {}`
    Any,
    /// `reflect.Value`: like any, but nothing may be missing.
    Value,
    Text,
    Texts,
    Int,
}

impl Type {
    /// Go's name.
    pub fn name(self) -> &'static str {
        match self {
            Type::Any => "interface {}",
            Type::Value => "reflect.Value",
            Type::Text => "string",
            Type::Texts => "[]string",
            Type::Int => "int",
        }
    }

    /// Whether nil is a value of it.
    pub fn takes_nil(self) -> bool {
        matches!(self, Type::Any | Type::Value | Type::Texts)
    }
}

/// How a function ends: its value or Go's complaint.
pub type Called = Result<Value, String>;

/// A function.
pub struct Function {
    /// Its name.
    pub name: &'static str,
    /// Types of the arguments it must have.
    pub takes: &'static [Type],
    /// Type of any number of further ones.
    pub more: Option<Type>,
    /// Does the work.
    pub call: fn(&[Value]) -> Called,
}

const fn function(
    name: &'static str,
    takes: &'static [Type],
    more: Option<Type>,
    call: fn(&[Value]) -> Called,
) -> Function {
    Function { name, takes, more, call }
}

use Type::{Any, Int, Text, Texts, Value as Reflected};

/// Every function of a template for data. `and` and `or` end early: see [`super::run`].
pub const FUNCTIONS: &[Function] = &[
    function("and", &[Reflected], Some(Reflected), |_| Ok(Value::Nil)),
    function("or", &[Reflected], Some(Reflected), |_| Ok(Value::Nil)),
    function("not", &[Reflected], None, |arguments| Ok(Value::Bool(!arguments[0].is_true()))),
    function("call", &[Reflected], Some(Reflected), |arguments| match &arguments[0] {
        Value::Missing | Value::Nil => Err("call of nil".to_owned()),
        // The word that was called goes where the braces are.
        other => Err(format!("non-function {{}} of type {}", other.type_name())),
    }),
    function("html", &[], Some(Any), |arguments| Ok(text::html(&print::joined(arguments)).into())),
    function("js", &[], Some(Any), |arguments| Ok(text::js(&print::joined(arguments)).into())),
    function("urlquery", &[], Some(Any), |arguments| Ok(text::query(&print::joined(arguments)).into())),
    function("index", &[Reflected], Some(Reflected), compare::index),
    function("slice", &[Reflected], Some(Reflected), compare::slice),
    function("len", &[Reflected], None, |arguments| compare::len(&arguments[0])),
    function("print", &[], Some(Any), |arguments| Ok(print::joined(arguments).into())),
    function("println", &[], Some(Any), |arguments| Ok(print::line(arguments).into())),
    function("printf", &[Text], Some(Any), |arguments| {
        Ok(printf::printf(docker::word(&arguments[0]), &arguments[1..]).into())
    }),
    function("eq", &[Reflected], Some(Reflected), compare::eq),
    function("ne", &[Reflected, Reflected], None, |two| compare::ne(&two[0], &two[1])),
    function("lt", &[Reflected, Reflected], None, |two| compare::lt(&two[0], &two[1])),
    function("le", &[Reflected, Reflected], None, |two| compare::le(&two[0], &two[1])),
    function("gt", &[Reflected, Reflected], None, |two| compare::gt(&two[0], &two[1])),
    function("ge", &[Reflected, Reflected], None, |two| compare::ge(&two[0], &two[1])),
    function("json", &[Any], None, |arguments| Ok(json::encode(&arguments[0]).into())),
    function("split", &[Text, Text], None, docker::split),
    function("join", &[Texts, Text], None, docker::join),
    function("title", &[Text], None, |arguments| Ok(docker::title(docker::word(&arguments[0])).into())),
    function("lower", &[Text], None, |arguments| Ok(docker::word(&arguments[0]).to_lowercase().into())),
    function("upper", &[Text], None, |arguments| Ok(docker::word(&arguments[0]).to_uppercase().into())),
    function("pad", &[Text, Int, Int], None, docker::pad),
    function("truncate", &[Text, Int], None, docker::truncate),
];

/// What stands for some of them in a table's heading, which stays as it is.
pub const HEADING: &[Function] = &[
    function("json", &[Text], None, as_it_is),
    function("split", &[Text, Text], None, as_it_is),
    function("join", &[Text, Text], None, as_it_is),
    function("title", &[Text], None, as_it_is),
    function("lower", &[Text], None, as_it_is),
    function("upper", &[Text], None, as_it_is),
    function("truncate", &[Text, Int], None, as_it_is),
];

fn as_it_is(arguments: &[Value]) -> Called {
    Ok(arguments[0].clone())
}

/// Whether a name may be called.
pub fn is_known(name: &str) -> bool {
    FUNCTIONS.iter().any(|function| function.name == name)
}
