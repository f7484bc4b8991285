//! An answer of the daemon as Docker's client knows it: fields by the names of its types, each
//! there even when the answer lacks it.

use super::args::Kind;
use super::schema::TYPES;
use crate::cli::format::template::{Object, Value};
use std::collections::BTreeMap;
use std::rc::Rc;

/// An object as the client's type has it.
pub fn typed(document: &Value, kind: Kind) -> Value {
    let name = match kind {
        Kind::Container => "Container",
        Kind::Image => "Image",
    };
    shaped(Some(document), name)
}

/// A field of a type, as [`super::schema`] writes it.
struct Field {
    name: &'static str,
    json: &'static str,
    shape: &'static str,
    optional: bool,
}

fn fields_of(name: &str) -> Option<impl Iterator<Item = Field>> {
    let (_, fields) = TYPES.iter().find(|(known, _)| *known == name)?;
    Some(fields.split(", ").filter(|field| !field.is_empty()).map(|field| {
        let (names, shape) = field.split_once(' ').unwrap_or((field, "any"));
        let (name, json) = names.split_once(':').unwrap_or((names, names));
        let (shape, optional) = match shape.strip_suffix('?') {
            Some(shape) => (shape, true),
            None => (shape, false),
        };
        Field { name, json, shape, optional }
    }))
}

/// A value of a type; what is missing or null is the type's empty value.
pub fn shaped(value: Option<&Value>, shape: &'static str) -> Value {
    let value = value.filter(|value| !matches!(value, Value::Nil | Value::Missing));
    if let Some(item) = shape.strip_prefix('*') {
        return value.map_or(Value::Nil, |value| shaped(Some(value), item));
    }
    if let Some(item) = shape.strip_prefix("[]") {
        return match value {
            Some(Value::List(list)) => list.iter().map(|one| shaped(Some(one), item)).collect(),
            _ => Value::NoList,
        };
    }
    if let Some(item) = shape.strip_prefix("{}") {
        let Some(Value::Struct(fields)) = value else { return Value::NoMap };
        let entries = fields.iter().map(|(key, value)| (key.clone(), shaped(Some(value), item)));
        return Value::Map(Rc::new(entries.collect::<BTreeMap<_, _>>()));
    }
    match shape {
        "text" => value.cloned().unwrap_or_else(|| Value::text("")),
        "int" => value.cloned().unwrap_or(Value::Int(0)),
        "bool" => value.cloned().unwrap_or(Value::Bool(false)),
        "any" => value.cloned().unwrap_or(Value::Nil),
        name => Value::Object(Rc::new(Typed { name, value: value.cloned() })),
    }
}

/// A struct: its type, and what came for it.
struct Typed {
    name: &'static str,
    value: Option<Value>,
}

impl Typed {
    fn came(&self, json: &str) -> Option<&Value> {
        match &self.value {
            Some(Value::Struct(fields)) => {
                fields.iter().find(|(name, _)| name == json).map(|(_, value)| value)
            }
            _ => None,
        }
    }

    fn all(&self) -> Vec<(Field, Value)> {
        let fields = fields_of(self.name).into_iter().flatten();
        fields
            .map(|field| {
                let value = shaped(self.came(field.json), field.shape);
                (field, value)
            })
            .collect()
    }
}

impl Object for Typed {
    fn type_name(&self) -> String {
        self.name.to_owned()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let field = fields_of(self.name)?.find(|field| field.name == name)?;
        Some(shaped(self.came(field.json), field.shape))
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let shown = |(field, value): &(Field, Value)| !field.optional || value.is_true();
        self.all().into_iter().filter(shown).map(|(field, value)| (field.json.to_owned(), value)).collect()
    }

    fn shown(&self) -> String {
        let fields: Vec<String> = self.all().iter().map(|(_, value)| value.to_string()).collect();
        format!("{{{}}}", fields.join(" "))
    }
}
