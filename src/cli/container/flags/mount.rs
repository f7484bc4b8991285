//! `--mount type=bind,source=…,target=…`.

use super::files::absolute;
use super::{csv, value};
use crate::wire::Mount;
use serde_json::{Map, Value};

type Options = Option<Map<String, Value>>;

/// Reads one `--mount`.
///
/// # Errors
/// Docker's words.
pub fn mount(text: &str) -> Result<Mount, String> {
    let mut asked = Asked { kind: "volume".to_owned(), ..Asked::default() };
    for field in csv::fields(text)? {
        let (key, value) = match field.split_once('=') {
            Some((key, value)) => (key.to_lowercase(), Some(value)),
            None => (field.to_lowercase(), None),
        };
        match value {
            Some(value) => asked.set(&field, &key, value)?,
            None => asked.flag(&field, &key)?,
        }
    }
    asked.checked()
}

/// What was read so far.
#[derive(Default)]
struct Asked {
    kind: String,
    source: String,
    target: String,
    read_only: bool,
    bind: Options,
    volume: Options,
    tmpfs: Options,
}

fn put(options: &mut Options, key: &str, value: impl Into<Value>) {
    options.get_or_insert_default().insert(key.to_owned(), value.into());
}

/// A map within the options.
fn below<'a>(options: &'a mut Options, keys: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut map = options.get_or_insert_default();
    for key in keys {
        map = map.entry(*key).or_insert_with(|| Value::Object(Map::new())).as_object_mut()?;
    }
    Some(map)
}

impl Asked {
    fn flag(&mut self, field: &str, key: &str) -> Result<(), String> {
        match key {
            "readonly" | "ro" => self.read_only = true,
            "volume-nocopy" => put(&mut self.volume, "NoCopy", true),
            "bind-nonrecursive" => put(&mut self.bind, "NonRecursive", true),
            _ => return Err(format!("invalid field '{field}' must be a key=value pair")),
        }
        Ok(())
    }

    fn set(&mut self, field: &str, key: &str, text: &str) -> Result<(), String> {
        let invalid = || format!("invalid value for {key}: {text}");
        let truth = || value::boolean(text).map_err(|_| invalid());
        match key {
            "type" => self.kind = text.to_lowercase(),
            "source" | "src" if text.starts_with('.') => self.source = absolute(text),
            "source" | "src" => self.source = text.to_owned(),
            "target" | "dst" | "destination" => self.target = text.to_owned(),
            "readonly" | "ro" => self.read_only = truth()?,
            "bind-propagation" => put(&mut self.bind, "Propagation", text.to_lowercase()),
            "bind-nonrecursive" => put(&mut self.bind, "NonRecursive", truth()?),
            "bind-recursive" => match text {
                "enabled" => {}
                "disabled" => put(&mut self.bind, "NonRecursive", true),
                "writable" => put(&mut self.bind, "ReadOnlyNonRecursive", true),
                "readonly" => put(&mut self.bind, "ReadOnlyForceRecursive", true),
                _ => {
                    let known = "must be \"enabled\", \"disabled\", \"writable\", or \"readonly\"";
                    return Err(format!("{} ({known})", invalid()));
                }
            },
            "volume-subpath" => put(&mut self.volume, "Subpath", text),
            "volume-nocopy" => put(&mut self.volume, "NoCopy", truth()?),
            "volume-label" => self.pair(&["Labels"], text),
            "volume-driver" => {
                if let Some(driver) = below(&mut self.volume, &["DriverConfig"]) {
                    driver.insert("Name".to_owned(), text.into());
                }
            }
            "volume-opt" => self.pair(&["DriverConfig", "Options"], text),
            "tmpfs-size" => put(&mut self.tmpfs, "SizeBytes", value::bytes(text).map_err(|_| invalid())?),
            "tmpfs-mode" => {
                put(&mut self.tmpfs, "Mode", u32::from_str_radix(text, 8).map_err(|_| invalid())?);
            }
            "consistency" | "image-subpath" => {
                return Err(format!("{key} in '{field}' is not supported by learn"));
            }
            _ => return Err(format!("unexpected key '{key}' in '{field}'")),
        }
        Ok(())
    }

    fn pair(&mut self, keys: &[&str], text: &str) {
        let (key, value) = text.split_once('=').unwrap_or((text, ""));
        if let Some(map) = below(&mut self.volume, keys).filter(|_| !key.is_empty()) {
            map.insert(key.to_owned(), value.into());
        }
    }

    fn checked(mut self) -> Result<Mount, String> {
        if self.kind.is_empty() {
            return Err("type is required".to_owned());
        }
        if self.target.is_empty() {
            return Err("target is required".to_owned());
        }
        if let Some(volume) = &mut self.volume {
            volume.entry("DriverConfig").or_insert_with(|| Value::Object(Map::new()));
        }
        let families = [
            ("volume", self.volume.is_some()),
            ("bind", self.bind.is_some()),
            ("tmpfs", self.tmpfs.is_some()),
        ];
        if let Some((family, _)) = families.iter().find(|(family, given)| *given && self.kind != *family) {
            return Err(format!("cannot mix '{family}-*' options with mount type '{}'", self.kind));
        }
        let bind = |key: &str| self.bind.as_ref().and_then(|options| options.get(key));
        let needs = |mode: &str, what: &str| {
            Err(format!("option 'bind-recursive={mode}' requires '{what}' to be specified in conjunction"))
        };
        if bind("ReadOnlyNonRecursive").is_some() && !self.read_only {
            return needs("writable", "readonly");
        }
        if bind("ReadOnlyForceRecursive").is_some() {
            if !self.read_only {
                return needs("readonly", "readonly");
            }
            if bind("Propagation").is_none_or(|mode| mode != "rprivate") {
                return needs("readonly", "bind-propagation=rprivate");
            }
        }
        Ok(Mount {
            r#type: self.kind,
            source: self.source,
            target: self.target,
            read_only: self.read_only,
            bind_options: self.bind.map(Value::Object),
            volume_options: self.volume.map(Value::Object),
            tmpfs_options: self.tmpfs.map(Value::Object),
        })
    }
}
