//! What a container sees of the host's files: `--volume`, `--mount`, `--tmpfs`.

use super::Error;
use crate::wire::{HostConfig, Mount as Asked, MountPoint};
use oci_spec::runtime::Mount;

/// One mount, ready for the Spec and for inspect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// `bind` or `tmpfs`.
    pub kind: &'static str,
    /// On the host; empty for a tmpfs.
    pub source: String,
    /// Inside.
    pub target: String,
    /// mount(8)'s words and the file system's own options.
    pub options: Vec<String>,
    /// Can be written to.
    pub writable: bool,
    /// `rprivate`, ….
    pub propagation: String,
    /// The options as given.
    pub mode: String,
    /// Make the source when it is missing, as `--volume` does and `--mount` does not.
    pub create_source: bool,
}

const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// Reads all three kinds of request, parents before children.
///
/// # Errors
/// A malformed request, in Docker's words; a named volume, which this engine does not have yet.
pub fn plan(host: &HostConfig) -> Result<Vec<Planned>, Error> {
    let mut planned = Vec::new();
    for bind in host.binds.iter().flatten() {
        planned.push(parse_bind(bind)?);
    }
    for mount in host.mounts.iter().flatten() {
        planned.push(parse_mount(mount)?);
    }
    for (target, options) in host.tmpfs.iter().flatten() {
        if !target.starts_with('/') {
            return Err(invalid(
                "tmpfs",
                &format!("invalid mount path: '{target}' mount path must be absolute"),
            ));
        }
        planned.push(tmpfs(target, options, true));
    }
    for (at, mount) in planned.iter().enumerate() {
        if planned[..at].iter().any(|earlier| earlier.target == mount.target) {
            return Err(Error::Mount(format!("Duplicate mount point: {}", mount.target)));
        }
    }
    planned.sort_by_key(|mount| mount.target.matches('/').count());
    Ok(planned)
}

/// `source:target[:options]`.
fn parse_bind(text: &str) -> Result<Planned, Error> {
    let malformed = |why: &str| Error::Mount(format!("invalid volume specification: '{text}': {why}"));
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [target] => return Err(Error::Unsupported(format!("an anonymous volume (--volume {target})"))),
        [source, target] => (source, target, ""),
        [source, target, mode] => (source, target, mode),
        _ => return Err(Error::Mount(format!("invalid volume specification: '{text}'"))),
    };
    if source.is_empty() || target.is_empty() {
        return Err(Error::Mount(format!("invalid volume specification: '{text}'")));
    }
    if !source.starts_with('/') {
        return Err(volume_error(source));
    }
    if !target.starts_with('/') {
        let why = format!("invalid mount path: '{target}' mount path must be absolute");
        return Err(malformed(&invalid("bind", &why).to_string()));
    }
    if target.trim_end_matches('/').is_empty() {
        return Err(malformed(
            &invalid("bind", "invalid specification: destination can't be '/'").to_string(),
        ));
    }
    let (mut writable, mut propagation) = (true, "rprivate");
    for word in mode.split(',').filter(|word| !word.is_empty()) {
        match word {
            "ro" => writable = false,
            "rw" | "z" | "Z" => {}
            word if PROPAGATIONS.contains(&word) => propagation = word,
            other => return Err(malformed(&format!("invalid mode: {other}"))),
        }
    }
    Ok(bind(source, target, writable, propagation, mode, true))
}

fn volume_error(name: &str) -> Error {
    let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    if name.chars().all(good) && name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
        return Error::Unsupported(format!("a named volume (--volume {name}:…)"));
    }
    Error::Invalid(format!(
        "create {name}: {name:?} includes invalid characters for a local volume name, only \
         \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
    ))
}

fn parse_mount(asked: &Asked) -> Result<Planned, Error> {
    let Asked { r#type: kind, source, target, read_only, .. } = asked;
    if target.is_empty() {
        return Err(bad_request(kind, "field Target must not be empty"));
    }
    if !target.starts_with('/') {
        return Err(bad_request(
            kind,
            &format!("invalid mount path: '{target}' mount path must be absolute"),
        ));
    }
    match kind.as_str() {
        "bind" if source.is_empty() => Err(bad_request(kind, "field Source must not be empty")),
        "bind" if !source.starts_with('/') => {
            Err(bad_request(kind, &format!("invalid mount path: '{source}' mount path must be absolute")))
        }
        "bind" => {
            let option = |name: &str| asked.bind_options.as_ref().and_then(|options| options.get(name));
            let propagation = option("Propagation").and_then(|word| word.as_str()).filter(|w| !w.is_empty());
            let create = option("CreateMountpoint").and_then(serde_json::Value::as_bool) == Some(true);
            Ok(bind(source, target, !read_only, propagation.unwrap_or("rprivate"), "", create))
        }
        "tmpfs" => {
            let option =
                |name: &str| asked.tmpfs_options.as_ref().and_then(|options| options.get(name)?.as_i64());
            let size = option("SizeBytes").filter(|size| *size > 0).map(|size| format!("size={size}"));
            let mode = option("Mode").filter(|mode| *mode > 0).map(|mode| format!("mode={mode:o}"));
            let options: Vec<String> = size.into_iter().chain(mode).collect();
            Ok(tmpfs(target, &options.join(","), !read_only))
        }
        "volume" | "" => Err(Error::Unsupported(format!("a volume (--mount type=volume,target={target})"))),
        other => Err(Error::Unsupported(format!("--mount type={other}"))),
    }
}

fn bind(source: &str, target: &str, writable: bool, propagation: &str, mode: &str, create: bool) -> Planned {
    let mut options = vec!["rbind".to_owned(), propagation.to_owned()];
    if !writable {
        options.push("ro".into());
    }
    Planned {
        kind: "bind",
        source: source.to_owned(),
        target: target.to_owned(),
        options,
        writable,
        propagation: propagation.to_owned(),
        mode: mode.to_owned(),
        create_source: create,
    }
}

fn tmpfs(target: &str, extra: &str, writable: bool) -> Planned {
    let mut options: Vec<String> = ["noexec", "nosuid", "nodev"].map(str::to_owned).into();
    for word in extra.split(',').filter(|word| !word.is_empty()) {
        // `exec` takes `noexec` back, and so on: the last word counts.
        options
            .retain(|known| known.strip_prefix("no") != Some(word) && word.strip_prefix("no") != Some(known));
        if !matches!(word, "exec" | "suid" | "dev") {
            options.push(word.to_owned());
        }
    }
    if !writable {
        options.push("ro".into());
    }
    Planned {
        kind: "tmpfs",
        source: String::new(),
        target: target.to_owned(),
        options,
        writable,
        propagation: String::new(),
        mode: extra.to_owned(),
        create_source: false,
    }
}

/// A fault of `--volume`'s text.
fn invalid(kind: &str, why: &str) -> Error {
    Error::Mount(format!("invalid mount config for type {kind:?}: {why}"))
}

/// A fault of `--mount`'s document.
fn bad_request(kind: &str, why: &str) -> Error {
    Error::Invalid(format!("invalid mount config for type {kind:?}: {why}"))
}

impl Planned {
    /// What `--mount` says when the source is not there.
    pub fn source_missing(&self) -> Error {
        bad_request(self.kind, &format!("bind source path does not exist: {}", self.source))
    }

    /// For the Spec.
    pub fn to_spec(&self) -> Mount {
        let source = if self.kind == "bind" { &self.source } else { "tmpfs" };
        let mut mount = Mount::default();
        mount
            .set_destination(self.target.clone().into())
            .set_typ(Some(self.kind.to_owned()))
            .set_source(Some(source.into()))
            .set_options(Some(self.options.clone()));
        mount
    }

    /// For inspect.
    pub fn to_wire(&self) -> MountPoint {
        MountPoint {
            r#type: self.kind.into(),
            source: self.source.clone(),
            destination: self.target.clone(),
            mode: self.mode.clone(),
            rw: self.writable,
            propagation: self.propagation.clone(),
            ..MountPoint::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(bind: &str) -> Result<Vec<Planned>, Error> {
        plan(&HostConfig { binds: Some(vec![bind.into()]), ..HostConfig::default() })
    }

    #[test]
    fn a_read_only_bind_says_so_in_its_options() {
        let mount = planned("/host:/x:ro").unwrap().remove(0);
        assert_eq!(mount.options, ["rbind", "rprivate", "ro"]);
        assert!(!mount.to_wire().rw);
    }

    #[test]
    fn a_relative_destination_is_refused_with_dockers_words() {
        let message = "invalid volume specification: '/src:rel': invalid mount config for type \"bind\": \
                       invalid mount path: 'rel' mount path must be absolute";
        assert_eq!(planned("/src:rel").unwrap_err().to_string(), message);
    }

    #[test]
    fn a_bad_volume_name_is_refused_with_dockers_words() {
        let message = planned("x!y:/data").unwrap_err().to_string();
        assert!(message.starts_with("create x!y: \"x!y\" includes invalid characters"), "{message}");
        assert!(matches!(planned("data:/data"), Err(Error::Unsupported(_))));
    }

    #[test]
    fn a_tmpfs_option_takes_its_opposite_back() {
        let tmpfs = Some([("/t".to_owned(), "exec,size=1m".to_owned())].into());
        let mount = plan(&HostConfig { tmpfs, ..HostConfig::default() }).unwrap().remove(0);
        assert_eq!(mount.options, ["nosuid", "nodev", "size=1m"]);
    }

    #[test]
    fn parents_are_mounted_before_children() {
        let binds = Some(vec!["/a:/x/y".into(), "/b:/x".into()]);
        let targets = plan(&HostConfig { binds, ..HostConfig::default() }).unwrap();
        assert_eq!(targets.iter().map(|m| &*m.target).collect::<Vec<_>>(), ["/x", "/x/y"]);
    }
}
