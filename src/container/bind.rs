//! `--volume`'s text: `source:target[:options]`.

use super::Error;
use super::mounts::{Planned, invalid, of_volume};
use crate::volume;

/// mount(8)'s words for how mounts spread.
pub(super) const PROPAGATIONS: [&str; 6] = ["private", "rprivate", "shared", "rshared", "slave", "rslave"];

/// Reads one text: a directory of the host's where the source begins with a slash, else a volume.
///
/// # Errors
/// Docker's words.
pub(super) fn parse(text: &str) -> Result<Planned, Error> {
    let whole = || Error::Mount(format!("invalid volume specification: '{text}'"));
    let malformed = |why: &Error| Error::Mount(format!("invalid volume specification: '{text}': {why}"));
    let parts: Vec<&str> = text.split(':').collect();
    let (source, target, mode) = match parts[..] {
        [source, target] => (source, target, ""),
        [source, target, mode] => (source, target, mode),
        _ => return Err(whole()),
    };
    if source.is_empty() || target.is_empty() {
        return Err(whole());
    }
    let kind = if source.starts_with('/') { "bind" } else { "volume" };
    if !target.starts_with('/') {
        let why = format!("invalid mount path: '{target}' mount path must be absolute");
        return Err(malformed(&invalid(kind, &why)));
    }
    let target = clean(target);
    if target == "/" {
        return Err(malformed(&invalid(kind, "invalid specification: destination can't be '/'")));
    }
    let modes = Modes::read(mode, kind == "volume")
        .ok_or_else(|| Error::Mount(format!("invalid mode: {mode}")))
        .map_err(|why| malformed(&why))?;
    if kind == "bind" {
        let mut planned = of(&clean(source), &target, modes.writable, modes.propagation, mode);
        planned.create_source = true;
        return Ok(planned);
    }
    volume::check_name(source).map_err(|error| Error::Invalid(error.to_string()))?;
    let mut planned = of_volume(source, &target, modes.writable);
    planned.copy_up = modes.copy_up;
    if !mode.is_empty() {
        planned.mode = mode.to_owned();
    }
    Ok(planned)
}

struct Modes<'a> {
    writable: bool,
    copy_up: bool,
    propagation: &'a str,
}

impl<'a> Modes<'a> {
    /// Each sort of word at most once; `None` for what is none.
    fn read(text: &'a str, of_volume: bool) -> Option<Modes<'a>> {
        let mut modes = Modes { writable: true, copy_up: true, propagation: "rprivate" };
        let (mut access, mut label, mut spread, mut copy) = (0, 0, 0, 0);
        for word in text.split(',').filter(|_| !text.is_empty()) {
            match word {
                "ro" | "rw" => {
                    modes.writable = word == "rw";
                    access += 1;
                }
                // SELinux's labels mean nothing without SELinux, which this engine does not use.
                "z" | "Z" => label += 1,
                "nocopy" if of_volume => {
                    modes.copy_up = false;
                    copy += 1;
                }
                word if PROPAGATIONS.contains(&word) && !of_volume => {
                    modes.propagation = word;
                    spread += 1;
                }
                _ => return None,
            }
        }
        (access < 2 && label < 2 && spread < 2 && copy < 2).then_some(modes)
    }
}

/// A bind mount.
pub(super) fn of(source: &str, target: &str, writable: bool, propagation: &str, mode: &str) -> Planned {
    let mut options = vec!["rbind".to_owned(), propagation.to_owned()];
    if !writable {
        options.push("ro".into());
    }
    Planned {
        kind: "bind".into(),
        source: source.to_owned(),
        target: target.to_owned(),
        options,
        writable,
        propagation: propagation.to_owned(),
        mode: mode.to_owned(),
        ..Planned::default()
    }
}

/// An absolute path without empty parts, `.` and `..`.
pub(super) fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_bind_says_so_in_its_options() {
        let mount = parse("/host:/x:ro").unwrap();
        assert_eq!(mount.options, ["rbind", "rprivate", "ro"]);
        assert!(!mount.to_wire().rw && mount.create_source);
    }

    #[test]
    fn a_name_is_a_volume_that_begins_with_the_images_files() {
        let volume = parse("data:/x").unwrap();
        assert_eq!(
            (&*volume.kind, &*volume.name, &*volume.mode, volume.copy_up),
            ("volume", "data", "z", true)
        );
        assert!(!parse("data:/x:nocopy").unwrap().copy_up);
    }

    #[test]
    fn what_is_malformed_is_refused_with_dockers_words() {
        let said = |text: &str| parse(text).unwrap_err().to_string();
        let message = "invalid volume specification: '/src:rel': invalid mount config for type \"bind\": \
                       invalid mount path: 'rel' mount path must be absolute";
        assert_eq!(said("/src:rel"), message);
        assert_eq!(said("/a:/b:odd"), "invalid volume specification: '/a:/b:odd': invalid mode: odd");
        assert!(said("/a:/b:ro,rw").ends_with("invalid mode: ro,rw"));
        assert!(said("data:/x:rshared").ends_with("invalid mode: rshared"), "a volume does not spread");
        assert!(said("x!y:/data").starts_with("create x!y: \"x!y\" includes invalid characters"));
        assert_eq!(said("a:b:c:d"), "invalid volume specification: 'a:b:c:d'");
    }
}
