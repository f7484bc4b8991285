//! `-v`, `--mount`, `--tmpfs`, `--volumes-from`: what the container sees of the host's files.

use crate::cli::format::size;
use crate::wire::{Config, HostConfig, Mount};
use serde_json::{Map, Value, json};

/// The flags.
#[derive(Debug, clap::Args)]
pub struct MountFlags {
    #[arg(long, short = 'v', value_name = "SOURCE:TARGET[:OPTIONS]")]
    pub volume: Vec<String>,
    #[arg(long, value_name = "FIELDS")]
    pub mount: Vec<String>,
    #[arg(long, value_name = "TARGET[:OPTIONS]")]
    pub tmpfs: Vec<String>,
    #[arg(long, value_name = "CONTAINER[:ro]")]
    pub volumes_from: Vec<String>,
    #[arg(long, value_name = "DRIVER")]
    pub volume_driver: Option<String>,
}

/// Puts the flags into the request, as Docker's client does.
///
/// # Errors
/// Docker's words.
pub fn apply(shape: &MountFlags, config: &mut Config, host: &mut HostConfig) -> Result<(), String> {
    let mut binds = Vec::new();
    for text in &shape.volume {
        match text.contains(':') {
            true => binds.push(absolute_source(text)?),
            false => {
                let volumes = config.volumes.get_or_insert_default();
                volumes.insert(text.clone(), Value::Object(Map::new()));
            }
        }
    }
    host.binds = Some(binds).filter(|binds| !binds.is_empty());
    for text in &shape.tmpfs {
        let (path, options) = text.split_once(':').unwrap_or((text, ""));
        host.tmpfs.get_or_insert_default().insert(path.to_owned(), options.to_owned());
    }
    host.volumes_from = Some(shape.volumes_from.clone()).filter(|names| !names.is_empty());
    host.volume_driver = shape.volume_driver.clone().unwrap_or_default();
    let mounts = shape.mount.iter().map(|text| mount(text)).collect::<Result<Vec<_>, _>>()?;
    host.mounts = Some(mounts).filter(|mounts| !mounts.is_empty());
    Ok(())
}

/// `./data:/x` names a directory from here.
fn absolute_source(text: &str) -> Result<String, String> {
    let (source, rest) = text.split_once(':').unwrap_or((text, ""));
    if !source.starts_with('.') {
        return Ok(text.to_owned());
    }
    let here = std::env::current_dir().map_err(|error| error.to_string())?;
    let whole = here.join(source).components().fold(std::path::PathBuf::new(), |mut path, part| {
        match part {
            std::path::Component::ParentDir => drop(path.pop()),
            std::path::Component::CurDir => {}
            part => path.push(part),
        }
        path
    });
    Ok(format!("{}:{rest}", whole.display()))
}

/// One `--mount`: fields parted by commas, in CSV's quotes.
fn mount(text: &str) -> Result<Mount, String> {
    let invalid = |why: String| format!("invalid argument {text:?} for \"--mount\" flag: {why}");
    let mut mount = Mount { r#type: "volume".into(), ..Mount::default() };
    let (mut bind, mut volume, mut tmpfs) = (Map::new(), Map::new(), Map::new());
    let (mut labels, mut options) = (Map::new(), Map::new());
    for field in fields(text) {
        let (key, value) = field.split_once('=').map_or((field.as_str(), None), |(k, v)| (k, Some(v)));
        let key = key.to_lowercase();
        let flag = || match value {
            None => Ok(true),
            Some(value) => boolean(value).ok_or_else(|| invalid(format!("invalid value for {key}: {value}"))),
        };
        let flags = ["readonly", "ro", "volume-nocopy", "bind-nonrecursive", "bind-create-src"];
        let Some(value) = value.or(flags.contains(&key.as_str()).then_some("")) else {
            return Err(invalid(format!("invalid field '{field}' must be a key=value pair")));
        };
        match key.as_str() {
            "type" => mount.r#type = value.to_lowercase(),
            "source" | "src" => {
                mount.source = match value.starts_with('.') {
                    true => absolute_source(value).map_err(invalid)?.trim_end_matches(':').to_owned(),
                    false => value.to_owned(),
                }
            }
            "target" | "dst" | "destination" => mount.target = value.to_owned(),
            "readonly" | "ro" => mount.read_only = flag()?,
            "bind-propagation" => drop(bind.insert("Propagation".into(), json!(value.to_lowercase()))),
            "bind-nonrecursive" => drop(bind.insert("NonRecursive".into(), json!(flag()?))),
            "bind-create-src" => drop(bind.insert("CreateMountpoint".into(), json!(flag()?))),
            "bind-recursive" => match value {
                "enabled" => {}
                "disabled" => drop(bind.insert("NonRecursive".into(), json!(true))),
                "writable" => drop(bind.insert("ReadOnlyNonRecursive".into(), json!(true))),
                "readonly" => drop(bind.insert("ReadOnlyForceRecursive".into(), json!(true))),
                other => {
                    return Err(invalid(format!(
                        "invalid value for {key}: {other} (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
                    )));
                }
            },
            "volume-nocopy" => drop(volume.insert("NoCopy".into(), json!(flag()?))),
            "volume-subpath" => drop(volume.insert("Subpath".into(), json!(value))),
            "volume-label" => {
                let (key, value) = value.split_once('=').unwrap_or((value, ""));
                labels.insert(key.to_owned(), json!(value));
            }
            "volume-driver" => drop(options.insert("Name".into(), json!(value))),
            "volume-opt" => {
                let (key, value) = value.split_once('=').unwrap_or((value, ""));
                let known = options.entry("Options").or_insert_with(|| json!({}));
                known[key] = json!(value);
            }
            "tmpfs-size" => {
                let size =
                    size::parse(value).ok_or_else(|| invalid(format!("invalid value for {key}: {value}")))?;
                tmpfs.insert("SizeBytes".into(), json!(size));
            }
            "tmpfs-mode" => {
                let mode = u32::from_str_radix(value, 8)
                    .map_err(|_| invalid(format!("invalid value for {key}: {value}")))?;
                tmpfs.insert("Mode".into(), json!(mode));
            }
            _ => return Err(invalid(format!("unexpected key '{key}' in '{field}'"))),
        }
    }
    if !labels.is_empty() {
        volume.insert("Labels".into(), Value::Object(labels));
    }
    if !options.is_empty() {
        volume.insert("DriverConfig".into(), Value::Object(options));
    }
    if mount.r#type.is_empty() {
        return Err(invalid("type is required".into()));
    }
    if mount.target.is_empty() {
        return Err(invalid("target is required".into()));
    }
    for (kind, name, given) in
        [("bind", "bind", &bind), ("volume", "volume", &volume), ("tmpfs", "tmpfs", &tmpfs)]
    {
        if mount.r#type != kind && !given.is_empty() {
            return Err(invalid(format!("cannot mix '{name}-*' options with mount type '{}'", mount.r#type)));
        }
    }
    let some = |map: Map<String, Value>| (!map.is_empty()).then_some(Value::Object(map));
    (mount.bind_options, mount.volume_options, mount.tmpfs_options) = (some(bind), some(volume), some(tmpfs));
    Ok(mount)
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "" | "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}

/// Fields of one CSV line: a quoted one may hold commas, and two quotes for one.
fn fields(text: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        let last = fields.last_mut().expect("there is always one");
        match char {
            '"' if quoted && chars.peek() == Some(&'"') => {
                last.push('"');
                chars.next();
            }
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            char => last.push(char),
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_as_dockers_client_reads_it() {
        let read = mount("type=bind,\"src=/a,b\",dst=/x,ro,bind-propagation=rslave").unwrap();
        assert_eq!((read.source.as_str(), read.target.as_str(), read.read_only), ("/a,b", "/x", true));
        assert_eq!(read.bind_options.unwrap()["Propagation"], "rslave");
        let read = mount("source=data,target=/x,volume-nocopy=true,volume-label=k=v").unwrap();
        assert_eq!(read.r#type, "volume");
        assert_eq!(read.volume_options.unwrap(), json!({"NoCopy": true, "Labels": {"k": "v"}}));
        let read = mount("type=tmpfs,destination=/t,tmpfs-size=1m,tmpfs-mode=1770").unwrap();
        assert_eq!(read.tmpfs_options.unwrap(), json!({"SizeBytes": 1 << 20, "Mode": 0o1770}));
    }

    #[test]
    fn what_is_no_mount_is_refused_with_dockers_words() {
        let said = |text: &str| {
            let error = mount(text).unwrap_err();
            error.split_once("\"--mount\" flag: ").unwrap().1.to_owned()
        };
        assert_eq!(said("type=bind,src=/a"), "target is required");
        assert_eq!(said("type=bind,odd"), "invalid field 'odd' must be a key=value pair");
        assert_eq!(said("type=bind,odd=1,dst=/x"), "unexpected key 'odd' in 'odd=1'");
        let mixed = "cannot mix 'volume-*' options with mount type 'bind'";
        assert_eq!(said("type=bind,dst=/x,volume-nocopy"), mixed);
    }
}
