//! Go's functions that look into values: comparisons, `index`, `slice` and `len`.

use super::function::Called;
use super::print::plain;
use super::value::Value;
use std::cmp::Ordering;
use std::rc::Rc;

/// What can be compared with what.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Basic {
    Bool,
    Float,
    Int,
    Uint,
    Text,
    Other,
}

fn basic(value: &Value) -> Basic {
    match value {
        Value::Bool(_) => Basic::Bool,
        Value::Float(_) => Basic::Float,
        Value::Int(_) => Basic::Int,
        Value::Byte(_) => Basic::Uint,
        Value::Text(_) | Value::Number(_) => Basic::Text,
        _ => Basic::Other,
    }
}

fn is_nil(value: &Value) -> bool {
    matches!(value, Value::Nil | Value::Missing)
}

/// Whether the first is equal to one of the others.
pub fn eq(arguments: &[Value]) -> Called {
    let (first, others) = (&arguments[0], &arguments[1..]);
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if equal(first, other)? {
            return Ok(Value::Bool(true));
        }
    }
    Ok(Value::Bool(false))
}

/// Whether two differ.
pub fn ne(one: &Value, other: &Value) -> Called {
    Ok(Value::Bool(!equal(one, other)?))
}

fn equal(one: &Value, other: &Value) -> Result<bool, String> {
    match (one, other) {
        (Value::Int(int), Value::Byte(byte)) | (Value::Byte(byte), Value::Int(int)) => {
            return Ok(*int == i64::from(*byte));
        }
        _ if basic(one) != basic(other) => {
            return match is_nil(one) || is_nil(other) {
                true => Ok(false),
                false => Err("incompatible types for comparison".to_owned()),
            };
        }
        _ if basic(one) != Basic::Other => return Ok(ordering(one, other) == Some(Ordering::Equal)),
        _ => {}
    }
    if is_nil(one) || is_nil(other) {
        return Ok(is_nil(one) && is_nil(other));
    }
    match other {
        Value::List(_) | Value::Map(_) | Value::NoList | Value::NoMap => {
            Err(format!("non-comparable type {}: {}", plain(other), other.type_name()))
        }
        _ => Ok(false),
    }
}

fn ordering(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Bool(one), Value::Bool(other)) => Some(one.cmp(other)),
        (Value::Int(one), Value::Int(other)) => Some(one.cmp(other)),
        (Value::Byte(one), Value::Byte(other)) => Some(one.cmp(other)),
        (Value::Byte(one), Value::Int(other)) => Some(i64::from(*one).cmp(other)),
        (Value::Int(one), Value::Byte(other)) => Some(one.cmp(&i64::from(*other))),
        (Value::Float(one), Value::Float(other)) => one.partial_cmp(other),
        (Value::Text(one) | Value::Number(one), Value::Text(other) | Value::Number(other)) => {
            Some(one.cmp(other))
        }
        _ => None,
    }
}

fn ordered(one: &Value, other: &Value) -> Result<Option<Ordering>, String> {
    let kinds = (basic(one), basic(other));
    if kinds.0 == Basic::Other || kinds.1 == Basic::Other || kinds == (Basic::Bool, Basic::Bool) {
        return Err("invalid type for comparison".to_owned());
    }
    let mixed = matches!(kinds, (Basic::Int, Basic::Uint) | (Basic::Uint, Basic::Int));
    if kinds.0 != kinds.1 && !mixed {
        return Err("incompatible types for comparison".to_owned());
    }
    Ok(ordering(one, other))
}

/// Less.
pub fn lt(one: &Value, other: &Value) -> Called {
    Ok(Value::Bool(ordered(one, other)? == Some(Ordering::Less)))
}

/// Less or equal.
pub fn le(one: &Value, other: &Value) -> Called {
    Ok(Value::Bool(matches!(ordered(one, other)?, Some(Ordering::Less | Ordering::Equal))))
}

/// Greater.
pub fn gt(one: &Value, other: &Value) -> Called {
    Ok(Value::Bool(ordered(one, other)? == Some(Ordering::Greater)))
}

/// Greater or equal.
pub fn ge(one: &Value, other: &Value) -> Called {
    Ok(Value::Bool(matches!(ordered(one, other)?, Some(Ordering::Greater | Ordering::Equal))))
}

/// How many items, entries or bytes.
pub fn len(value: &Value) -> Called {
    let count = match value {
        Value::Text(text) | Value::Number(text) => text.len(),
        Value::List(list) => list.len(),
        Value::Map(map) => map.len(),
        Value::NoList | Value::NoMap => 0,
        Value::Missing | Value::Nil => {
            return Err("reflect: call of reflect.Value.Type on zero Value".to_owned());
        }
        other => return Err(format!("len of type {}", other.type_name())),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

/// An item by its places or keys, one after another.
pub fn index(arguments: &[Value]) -> Called {
    let mut item = arguments[0].clone();
    if is_nil(&item) {
        return Err("index of untyped nil".to_owned());
    }
    for key in &arguments[1..] {
        item = match &item {
            Value::List(list) => list.get(place(key, list.len())?).cloned().ok_or_else(out_of_range)?,
            Value::Text(text) | Value::Number(text) => {
                let byte = text.as_bytes().get(place(key, text.len())?).copied();
                Value::Byte(byte.ok_or_else(|| "reflect: string index out of range".to_owned())?)
            }
            Value::NoList => return place(key, 0).and_then(|_| Err(out_of_range())),
            Value::NoMap => Value::Missing,
            Value::Map(map) => match key {
                Value::Text(key) => map.get(&**key).cloned().unwrap_or_else(|| zero_of(map)),
                Value::Missing | Value::Nil => {
                    return Err("value is nil; should be of type string".to_owned());
                }
                key => return Err(format!("value has type {}; should be string", key.type_name())),
            },
            Value::Missing | Value::Nil => return Err("index of nil pointer".to_owned()),
            other => return Err(format!("can't index item of type {}", other.type_name())),
        };
    }
    Ok(item)
}

/// What a map gives for a key it does not have: an empty text when it holds texts.
fn zero_of(map: &std::collections::BTreeMap<String, Value>) -> Value {
    match !map.is_empty() && map.values().all(|value| matches!(value, Value::Text(_))) {
        true => Value::text(""),
        false => Value::Missing,
    }
}

fn out_of_range() -> String {
    "reflect: slice index out of range".to_owned()
}

/// A place in something so long; the end counts.
fn place(key: &Value, length: usize) -> Result<usize, String> {
    let number = match key {
        Value::Int(number) => *number,
        Value::Byte(number) => i64::from(*number),
        Value::Missing | Value::Nil => return Err("cannot index slice/array with nil".to_owned()),
        key => return Err(format!("cannot index slice/array with type {}", key.type_name())),
    };
    match usize::try_from(number) {
        Ok(place) if place <= length => Ok(place),
        _ => Err(format!("index out of range: {number}")),
    }
}

/// A part from one place to another.
pub fn slice(arguments: &[Value]) -> Called {
    let (item, places) = (&arguments[0], &arguments[1..]);
    let length = match item {
        Value::Text(text) => text.len(),
        Value::List(list) => list.len(),
        Value::NoList => 0,
        Value::Missing | Value::Nil => return Err("slice of untyped nil".to_owned()),
        other => return Err(format!("can't slice item of type {}", other.type_name())),
    };
    if places.len() > 3 {
        return Err(format!("too many slice indexes: {}", places.len()));
    }
    if places.len() == 3 && matches!(item, Value::Text(_)) {
        return Err("cannot 3-index slice a string".to_owned());
    }
    let mut bounds = [0, length, length];
    for (bound, key) in bounds.iter_mut().zip(places) {
        *bound = place(key, length)?;
    }
    let [from, to, most] = bounds;
    if from > to {
        return Err(format!("invalid slice index: {from} > {to}"));
    }
    if to > most {
        return Err(format!("invalid slice index: {to} > {most}"));
    }
    Ok(match item {
        Value::List(list) => Value::List(Rc::new(list[from..to].to_vec())),
        Value::Text(text) => String::from_utf8_lossy(&text.as_bytes()[from..to]).into_owned().into(),
        other => other.clone(),
    })
}
