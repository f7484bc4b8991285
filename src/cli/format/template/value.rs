//! What a template sees: values with the few traits of Go's types that show in its output.

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeMap;
use std::rc::Rc;

/// A method: its one argument, and what comes of it.
pub type Method = Box<dyn Fn(&str) -> Value>;

/// An object with fields that are computed, as a line of a list is.
pub trait Object {
    /// Go's name of its type, for error texts: `*formatter.ContainerContext`.
    fn type_name(&self) -> String;

    /// A field; `None` when there is none of that name.
    fn field(&self, name: &str) -> Option<Value>;

    /// A method with one text argument (`.Label "key"`); `None` when there is none of that name.
    fn method(&self, _name: &str) -> Option<Method> {
        None
    }

    /// Whether it is a map: a key it does not have is no error.
    fn is_map(&self) -> bool {
        false
    }

    /// Every field in its order, for `json`.
    fn fields(&self) -> Vec<(String, Value)>;

    /// Whether its own encoder is careful about HTML, and sorts its fields.
    fn has_encoder(&self) -> bool {
        false
    }

    /// `%v`.
    fn shown(&self) -> String {
        let fields: Vec<String> = self.fields().iter().map(|(_, value)| value.to_string()).collect();
        format!("&{{{}}}", fields.join(" "))
    }
}

/// A value.
#[derive(Clone)]
pub enum Value {
    /// An entry that is not there; prints as `<no value>`.
    Missing,
    /// A pointer or an interface without a value: `<nil>`.
    Nil,
    Bool(bool),
    Int(i64),
    /// One byte of a text: `index "abc" 1`.
    Byte(u8),
    Float(f64),
    Text(Rc<str>),
    /// A number of a document without a type; Go keeps its digits as text.
    Number(Rc<str>),
    List(Rc<Vec<Value>>),
    Map(Rc<BTreeMap<String, Value>>),
    /// A list nobody made: empty, but `null` as JSON.
    NoList,
    /// A map nobody made.
    NoMap,
    /// Fields in the order of the document.
    Struct(Rc<Vec<(String, Value)>>),
    Object(Rc<dyn Object>),
}

impl Value {
    /// A text.
    pub fn text(text: impl AsRef<str>) -> Value {
        Value::Text(text.as_ref().into())
    }

    /// A list of texts.
    pub fn texts<T: AsRef<str>>(texts: impl IntoIterator<Item = T>) -> Value {
        Value::List(Rc::new(texts.into_iter().map(Value::text).collect()))
    }

    /// Whether it counts as true: not zero, not empty, not nil.
    pub fn is_true(&self) -> bool {
        match self {
            Value::Missing | Value::Nil | Value::NoList | Value::NoMap => false,
            Value::Bool(value) => *value,
            Value::Int(value) => *value != 0,
            Value::Byte(value) => *value != 0,
            Value::Float(value) => *value != 0.0,
            Value::Text(text) | Value::Number(text) => !text.is_empty(),
            Value::List(list) => !list.is_empty(),
            Value::Map(map) => !map.is_empty(),
            Value::Struct(_) | Value::Object(_) => true,
        }
    }

    /// Go's name of the type.
    pub fn type_name(&self) -> String {
        match self {
            Value::Missing | Value::Nil => "interface {}".to_owned(),
            Value::Bool(_) => "bool".to_owned(),
            Value::Int(_) => "int".to_owned(),
            Value::Byte(_) => "uint8".to_owned(),
            Value::Float(_) => "float64".to_owned(),
            Value::Text(_) => "string".to_owned(),
            Value::Number(_) => "json.Number".to_owned(),
            Value::List(list) => match list.iter().all(|item| matches!(item, Value::Text(_))) {
                true if !list.is_empty() => "[]string".to_owned(),
                _ => "[]interface {}".to_owned(),
            },
            Value::NoList => "[]string".to_owned(),
            Value::Map(_) | Value::NoMap => "map[string]interface {}".to_owned(),
            Value::Struct(_) => "struct".to_owned(),
            Value::Object(object) => object.type_name(),
        }
    }

    /// The document as Go decodes it without a type: objects are maps, numbers keep their digits.
    pub fn untyped(&self) -> Value {
        match self {
            Value::Int(number) => Value::Number(number.to_string().into()),
            Value::Float(number) => Value::Number(super::print::with_exponent_from(21, *number).into()),
            Value::List(list) => Value::List(Rc::new(list.iter().map(Value::untyped).collect())),
            Value::Map(map) => {
                let entries = map.iter().map(|(key, value)| (key.clone(), value.untyped()));
                Value::Map(Rc::new(entries.collect()))
            }
            Value::Struct(fields) => {
                let entries = fields.iter().map(|(key, value)| (key.clone(), value.untyped()));
                Value::Map(Rc::new(entries.collect()))
            }
            other => other.clone(),
        }
    }
}

impl std::fmt::Display for Value {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str(&super::print::plain(self))
    }
}

impl FromIterator<Value> for Value {
    fn from_iter<I: IntoIterator<Item = Value>>(items: I) -> Value {
        Value::List(Rc::new(items.into_iter().collect()))
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::text(text)
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::text(text)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Value {
        Value::Int(number)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

/// Reads any JSON document; objects keep the order of their fields.
impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(Document)
    }
}

struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Value;

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a JSON document")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Nil)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Int(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(i64::try_from(value).map_or_else(|_| Value::Number(value.to_string().into()), Value::Int))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Float(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        Ok(Value::text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(Rc::new(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(Value::Struct(Rc::new(fields)))
    }
}
