//! Lists as `--format` shows them: a kind of line is a table of its columns, and a template
//! chooses among them.
//!
//! A verb writes one `const` [`List`] and calls [`List::write`]; headings, `table`, `json`,
//! escapes and error texts are the same for all.

use super::tabs;
use super::template::{Method, Object, Template, Value};
use crate::cli::Failure;
use std::collections::BTreeMap;
use std::rc::Rc;

/// A column of a list of `T`.
pub struct Column<T: 'static> {
    /// Its name in a template: `{{.Names}}`.
    pub name: &'static str,
    /// Its heading in a table; empty for what only `json` and templates know.
    pub heading: &'static str,
    /// Its cell in a line.
    pub cell: fn(&T) -> Value,
}

/// A column with its name, heading and cell.
pub const fn column<T>(name: &'static str, heading: &'static str, cell: fn(&T) -> Value) -> Column<T> {
    Column { name, heading, cell }
}

/// A kind of list.
pub struct List<T: 'static> {
    /// Go's name of a line's type, which errors name: `*formatter.ContainerContext`.
    pub type_name: &'static str,
    /// The columns.
    pub columns: &'static [Column<T>],
    /// `{{.Label "key"}}`, for what has labels.
    pub label: Option<fn(&T, &str) -> String>,
}

impl<T: 'static> List<T> {
    /// The text of some lines. A format is `table TEMPLATE`, `json` or a template; `\t` and `\n`
    /// in it are what they say.
    ///
    /// # Errors
    /// A template that cannot be read, or that asks for what is not there, in Docker's words.
    pub fn write(&'static self, format: &str, lines: Vec<T>) -> Result<String, Failure> {
        let is_table = format.starts_with("table");
        let template = template(format)?;
        let mut body = String::new();
        for line in lines {
            let (text, done) = template.execute(&self.line(line));
            done.map_err(|problem| Failure::Arguments(parsing(&problem)))?;
            body.push_str(&text);
            body.push('\n');
        }
        Ok(match is_table {
            true => tabs::align(&format!("{}\n{body}", template.execute_for_heading(&self.heading()).0)),
            false => body,
        })
    }

    /// A line as a template sees it.
    pub fn line(&'static self, line: T) -> Value {
        Value::Object(Rc::new(Line { list: self, line: Rc::new(line) }))
    }

    fn heading(&self) -> Value {
        let columns = self.columns.iter().filter(|column| !column.heading.is_empty());
        let entries = columns.map(|column| (column.name.to_owned(), Value::text(column.heading)));
        Value::Object(Rc::new(Heading { entries: entries.collect() }))
    }
}

/// Reads what follows `table`, or what `json` stands for.
fn template(format: &str) -> Result<Template, Failure> {
    let text = match format.strip_prefix("table") {
        Some(rest) => rest,
        None if format == "json" => "{{json .}}",
        None => format,
    };
    let text = text.trim_matches(' ').replace("\\t", "\t").replace("\\n", "\n");
    Template::parse(&text).map_err(|problem| Failure::Arguments(parsing(&problem)))
}

fn parsing(problem: &str) -> String {
    format!("template parsing error: {problem}")
}

struct Line<T: 'static> {
    list: &'static List<T>,
    line: Rc<T>,
}

impl<T> Object for Line<T> {
    fn type_name(&self) -> String {
        self.list.type_name.to_owned()
    }

    fn field(&self, name: &str) -> Option<Value> {
        let column = self.list.columns.iter().find(|column| column.name == name)?;
        Some((column.cell)(&self.line))
    }

    fn method(&self, name: &str) -> Option<Method> {
        let label = self.list.label.filter(|_| name == "Label")?;
        let line = self.line.clone();
        Some(Box::new(move |key| label(&line, key).into()))
    }

    fn has_encoder(&self) -> bool {
        true
    }

    fn fields(&self) -> Vec<(String, Value)> {
        let field = |column: &Column<T>| (column.name.to_owned(), (column.cell)(&self.line));
        self.list.columns.iter().map(field).collect()
    }
}

/// Names of columns and their headings.
struct Heading {
    entries: BTreeMap<String, Value>,
}

impl Object for Heading {
    fn type_name(&self) -> String {
        "formatter.SubHeaderContext".to_owned()
    }

    fn is_map(&self) -> bool {
        true
    }

    fn field(&self, name: &str) -> Option<Value> {
        self.entries.get(name).cloned()
    }

    /// A label's heading is the last part of its key.
    fn method(&self, name: &str) -> Option<Method> {
        let heading = |key: &str| key.rsplit('.').next().unwrap_or(key).replace(['-', '_'], " ").into();
        (name == "Label").then(|| Box::new(heading) as Method)
    }

    fn fields(&self) -> Vec<(String, Value)> {
        self.entries.clone().into_iter().collect()
    }
}
