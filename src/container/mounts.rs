//! What a container sees of the host's files: `--volume`, `--mount`, `--tmpfs`, and the volumes
//! its image asks for.
//!
//! A request becomes a plan; the engine makes the volumes it names, fills in where they are, and
//! keeps the result in the container's record.

use super::{Error, bind};
use crate::volume;
use crate::wire::{HostConfig, Mount as Asked, MountPoint};
use oci_spec::runtime::Mount;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// One mount, ready for the Spec and for inspect.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", default)]
pub struct Planned {
    /// `bind`, `volume` or `tmpfs`.
    pub kind: String,
    /// Of a volume; empty for one that is to be made up.
    pub name: String,
    /// On the host; empty for a tmpfs, and for a volume until the engine knows where it is.
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
    /// A volume nobody named: it goes with its container.
    pub anonymous: bool,
    /// A new volume begins with what the image has at the target.
    pub copy_up: bool,
    /// Of a volume that is to be made.
    pub labels: BTreeMap<String, String>,
    /// Of a volume that is to be made; empty for the local one.
    pub driver: String,
    /// Of the driver.
    pub driver_options: BTreeMap<String, String>,
}

/// Reads all kinds of request. `volumes` are the places of anonymous ones, which come after what
/// was asked for with more words.
///
/// # Errors
/// A malformed request, in Docker's words.
pub fn plan<'a>(
    host: &HostConfig,
    volumes: impl IntoIterator<Item = &'a String>,
) -> Result<Vec<Planned>, Error> {
    let mut planned: Vec<Planned> = Vec::new();
    for text in host.binds.iter().flatten() {
        planned.push(Planned { driver: host.volume_driver.clone(), ..bind::parse(text)? });
    }
    for mount in host.mounts.iter().flatten() {
        planned.push(parse_mount(mount)?);
    }
    for (at, mount) in planned.iter().enumerate() {
        if planned[..at].iter().any(|earlier| earlier.target == mount.target) {
            return Err(Error::Mount(format!("Duplicate mount point: {}", mount.target)));
        }
    }
    for (target, options) in host.tmpfs.iter().flatten() {
        let target = absolute("tmpfs", target)?;
        if planned.iter().any(|earlier| earlier.target == target) {
            return Err(Error::Mount(format!("Duplicate mount point: {target}")));
        }
        planned.push(tmpfs(&target, options, true));
    }
    for target in volumes {
        let target = bind::clean(target);
        if !planned.iter().any(|earlier| earlier.target == target) {
            planned.push(Planned { driver: host.volume_driver.clone(), ..anonymous(&target) });
        }
    }
    sort(&mut planned);
    Ok(planned)
}

/// Parents before children.
pub fn sort(planned: &mut [Planned]) {
    planned.sort_by_key(|mount| mount.target.matches('/').count());
}

fn absolute(kind: &str, target: &str) -> Result<String, Error> {
    if target.starts_with('/') {
        return Ok(bind::clean(target));
    }
    Err(invalid(kind, &format!("invalid mount path: '{target}' mount path must be absolute")))
}

/// A volume that gets a name of its own.
pub fn anonymous(target: &str) -> Planned {
    Planned { anonymous: true, mode: String::new(), ..of_volume("", target, true) }
}

/// A volume, wherever it will be.
pub(super) fn of_volume(name: &str, target: &str, writable: bool) -> Planned {
    let mut options = vec!["rbind".to_owned(), "rprivate".to_owned()];
    if !writable {
        options.push("ro".into());
    }
    Planned {
        kind: "volume".into(),
        name: name.to_owned(),
        target: target.to_owned(),
        options,
        writable,
        // Docker says so of every named volume of its own driver.
        mode: "z".into(),
        copy_up: true,
        ..Planned::default()
    }
}

fn parse_mount(asked: &Asked) -> Result<Planned, Error> {
    let Asked { r#type: kind, source, target, read_only, .. } = asked;
    let refuse = |why: &str| Err(bad_request(kind, why));
    if !matches!(kind.as_str(), "bind" | "tmpfs" | "volume" | "") {
        return refuse("mount type unknown");
    }
    if target.is_empty() {
        return refuse("field Target must not be empty");
    }
    if !target.starts_with('/') {
        return refuse(&format!("invalid mount path: '{target}' mount path must be absolute"));
    }
    let target = bind::clean(target);
    if target == "/" {
        return refuse("invalid specification: destination can't be '/'");
    }
    for (field, given, of) in [
        ("BindOptions", asked.bind_options.is_some(), "bind"),
        ("VolumeOptions", asked.volume_options.is_some(), "volume"),
        ("TmpfsOptions", asked.tmpfs_options.is_some(), "tmpfs"),
    ] {
        if given && of != kind && !(kind.is_empty() && of == "volume") {
            return refuse(&format!("field {field} must not be specified"));
        }
    }
    match kind.as_str() {
        "bind" if source.is_empty() => refuse("field Source must not be empty"),
        "bind" if !source.starts_with('/') => {
            refuse(&format!("invalid mount path: '{source}' mount path must be absolute"))
        }
        "bind" => bind_mount(asked, &target),
        "tmpfs" if !source.is_empty() => refuse("field Source must not be specified"),
        "tmpfs" => {
            let option = |name: &str| asked.tmpfs_options.as_ref()?.get(name)?.as_i64();
            let size = option("SizeBytes").filter(|size| *size > 0).map(|size| format!("size={size}"));
            let mode = option("Mode").filter(|mode| *mode > 0).map(|mode| format!("mode={mode:o}"));
            let options: Vec<String> = size.into_iter().chain(mode).collect();
            Ok(tmpfs(&target, &options.join(","), !read_only))
        }
        _ if source.is_empty() && *read_only => {
            refuse("must not set ReadOnly mode when using anonymous volumes")
        }
        _ => volume_mount(asked, &target),
    }
}

fn bind_mount(asked: &Asked, target: &str) -> Result<Planned, Error> {
    let option = |name: &str| asked.bind_options.as_ref().and_then(|options| options.get(name));
    let is_set = |name: &str| option(name).and_then(Value::as_bool) == Some(true);
    if is_set("ReadOnlyForceRecursive") {
        return Err(Error::Unsupported("--mount bind-recursive=readonly".into()));
    }
    let propagation = option("Propagation").and_then(Value::as_str).filter(|word| !word.is_empty());
    let propagation = propagation.unwrap_or("rprivate");
    if !bind::PROPAGATIONS.contains(&propagation) {
        return Err(bad_request("bind", &format!("invalid propagation mode: {propagation}")));
    }
    let mut planned = bind::of(&asked.source, target, !asked.read_only, propagation, "");
    planned.create_source = is_set("CreateMountpoint");
    if is_set("NonRecursive") {
        planned.options[0] = "bind".to_owned();
    }
    Ok(planned)
}

fn volume_mount(asked: &Asked, target: &str) -> Result<Planned, Error> {
    let options = asked.volume_options.clone().unwrap_or_default();
    let texts = |value: &Value| -> BTreeMap<String, String> {
        serde_json::from_value(value.clone()).unwrap_or_default()
    };
    if options["Subpath"].as_str().is_some_and(|path| !path.is_empty()) {
        return Err(Error::Unsupported("--mount volume-subpath".into()));
    }
    let mut planned = match asked.source.as_str() {
        "" => anonymous(target),
        name => {
            volume::check_name(name).map_err(|error| Error::Invalid(error.to_string()))?;
            of_volume(name, target, !asked.read_only)
        }
    };
    planned.copy_up = options["NoCopy"].as_bool() != Some(true);
    planned.labels = texts(&options["Labels"]);
    planned.driver = options["DriverConfig"]["Name"].as_str().unwrap_or_default().to_owned();
    planned.driver_options = texts(&options["DriverConfig"]["Options"]);
    Ok(planned)
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
        kind: "tmpfs".into(),
        target: target.to_owned(),
        options,
        writable,
        mode: extra.to_owned(),
        ..Planned::default()
    }
}

/// A fault of `--volume`'s text.
pub(super) fn invalid(kind: &str, why: &str) -> Error {
    Error::Mount(format!("invalid mount config for type {kind:?}: {why}"))
}

/// A fault of `--mount`'s document.
fn bad_request(kind: &str, why: &str) -> Error {
    Error::Invalid(format!("invalid mount config for type {kind:?}: {why}"))
}

impl Planned {
    /// What `--mount` says when the source is not there.
    pub fn source_missing(&self) -> Error {
        bad_request(&self.kind, &format!("bind source path does not exist: {}", self.source))
    }

    /// Whether it is a volume's.
    pub fn is_volume(&self) -> bool {
        self.kind == "volume"
    }

    /// The same for another container: `--volumes-from`.
    pub fn borrowed(&self, read_only: bool) -> Planned {
        let mut planned = Planned { copy_up: false, ..self.clone() };
        if read_only && planned.writable {
            planned.writable = false;
            planned.options.push("ro".into());
        }
        planned
    }

    /// For the Spec.
    pub fn to_spec(&self) -> Mount {
        let (kind, source) = match self.kind.as_str() {
            "tmpfs" => ("tmpfs", "tmpfs"),
            _ => ("bind", self.source.as_str()),
        };
        let mut mount = Mount::default();
        mount
            .set_destination(self.target.clone().into())
            .set_typ(Some(kind.to_owned()))
            .set_source(Some(source.into()))
            .set_options(Some(self.options.clone()));
        mount
    }

    /// For inspect.
    pub fn to_wire(&self) -> MountPoint {
        let driver = if self.is_volume() { volume::LOCAL } else { "" };
        MountPoint {
            r#type: self.kind.clone(),
            name: self.name.clone(),
            source: self.source.clone(),
            destination: self.target.clone(),
            driver: driver.into(),
            mode: self.mode.clone(),
            rw: self.writable,
            propagation: self.propagation.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(host: HostConfig, volumes: &[&str]) -> Result<Vec<Planned>, Error> {
        let volumes: Vec<String> = volumes.iter().map(ToString::to_string).collect();
        plan(&host, &volumes)
    }

    fn binds(texts: &[&str]) -> HostConfig {
        let binds = Some(texts.iter().map(ToString::to_string).collect());
        HostConfig { binds, ..HostConfig::default() }
    }

    #[test]
    fn a_tmpfs_option_takes_its_opposite_back() {
        let tmpfs = Some([("/t".to_owned(), "exec,size=1m".to_owned())].into());
        let mount = planned(HostConfig { tmpfs, ..HostConfig::default() }, &[]).unwrap().remove(0);
        assert_eq!(mount.options, ["nosuid", "nodev", "size=1m"]);
    }

    #[test]
    fn parents_are_mounted_before_children_and_an_asked_for_place_needs_no_other_volume() {
        let mounts = planned(binds(&["/a:/x/y", "data:/x"]), &["/x/", "/z"]).unwrap();
        let seen: Vec<_> =
            mounts.iter().map(|mount| (&*mount.kind, &*mount.target, mount.anonymous)).collect();
        assert_eq!(seen, [("volume", "/x", false), ("volume", "/z", true), ("bind", "/x/y", false)]);
    }

    #[test]
    fn what_cannot_be_mounted_is_refused_with_dockers_words() {
        let said = |mount: Asked| {
            let host = HostConfig { mounts: Some(vec![mount]), ..HostConfig::default() };
            planned(host, &[]).unwrap_err().to_string()
        };
        let of = |kind: &str, source: &str, target: &str| Asked {
            r#type: kind.into(),
            source: source.into(),
            target: target.into(),
            ..Asked::default()
        };
        let frame = |kind: &str, why: &str| format!("invalid mount config for type \"{kind}\": {why}");
        assert_eq!(said(of("bind", "", "/x")), frame("bind", "field Source must not be empty"));
        assert_eq!(said(of("tmpfs", "/a", "/x")), frame("tmpfs", "field Source must not be specified"));
        assert_eq!(said(of("odd", "", "/x")), frame("odd", "mount type unknown"));
        let read_only = Asked { read_only: true, ..of("volume", "", "/x") };
        let why = "must not set ReadOnly mode when using anonymous volumes";
        assert_eq!(said(read_only), frame("volume", why));
        let twice = planned(binds(&["/a:/x", "/b:/x"]), &[]).unwrap_err().to_string();
        assert_eq!(twice, "Duplicate mount point: /x");
    }
}
