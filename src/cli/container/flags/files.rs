//! Flags about files from outside: volumes, mounts, tmpfs.

use super::mount::mount;
use crate::wire::{CreateRequest, Mount};
use clap::Args;
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

#[derive(Debug, Default, Args)]
pub struct Files {
    #[arg(long, short = 'v', value_name = "[SOURCE:]PATH[:OPTIONS]")]
    pub volume: Vec<String>,
    #[arg(long, value_name = "type=TYPE,…", value_parser = mount)]
    pub mount: Vec<Mount>,
    #[arg(long, value_name = "PATH[:OPTIONS]")]
    pub tmpfs: Vec<String>,
    #[arg(long, value_name = "CONTAINER[:ro]")]
    pub volumes_from: Vec<String>,
    #[arg(long, value_name = "DRIVER")]
    pub volume_driver: Option<String>,
}

impl Files {
    /// Writes itself into the request.
    ///
    /// # Errors
    /// Docker's words for a volume that makes no sense.
    pub fn fill(&self, request: &mut CreateRequest) -> Result<(), String> {
        let mut binds = Vec::new();
        let mut anonymous = Map::new();
        let mut seen = BTreeSet::new();
        for text in self.volume.iter().filter(|text| seen.insert(*text)) {
            match bind(text)? {
                Some(bind) => binds.push(bind),
                None => {
                    anonymous.insert(text.clone(), Value::Object(Map::new()));
                }
            }
        }
        request.config.volumes = (!anonymous.is_empty()).then_some(anonymous);
        let host = &mut request.host_config;
        host.binds = (!binds.is_empty()).then_some(binds);
        host.mounts = (!self.mount.is_empty()).then(|| self.mount.clone());
        let tmpfs = self.tmpfs.iter().map(|text| {
            let (path, options) = text.split_once(':').unwrap_or((text, ""));
            (path.to_owned(), options.to_owned())
        });
        host.tmpfs = (!self.tmpfs.is_empty()).then(|| tmpfs.collect());
        host.volumes_from = (!self.volumes_from.is_empty()).then(|| self.volumes_from.clone());
        host.volume_driver = self.volume_driver.clone().unwrap_or_default();
        Ok(())
    }
}

/// A volume with a source as the daemon takes it: its directory in full. `None` for a place
/// alone, which is an anonymous volume.
fn bind(text: &str) -> Result<Option<String>, String> {
    if text.is_empty() {
        return Err("invalid empty volume spec".to_owned());
    }
    let parts: Vec<&str> = text.split(':').collect();
    let problem = |what: &str| Err(format!("invalid spec: {text}: {what}"));
    // One letter and a colon may be a drive of Windows: the daemon decides.
    if parts[0].len() == 1 && parts.len() > 1 {
        return Ok(Some(text.to_owned()));
    }
    if text.len() > 2 && parts.contains(&"") {
        return problem("empty section between colons");
    }
    if parts.len() > 3 {
        return problem("too many colons");
    }
    match (text.len() > 2).then(|| text.split_once(':')).flatten() {
        None => Ok(None),
        Some((source, rest)) if source.starts_with('.') => Ok(Some(format!("{}:{rest}", absolute(source)))),
        Some(_) => Ok(Some(text.to_owned())),
    }
}

/// A path as seen from here, without `.` and `..`.
pub fn absolute(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let mut whole = PathBuf::new();
    for part in here.join(Path::new(path)).components() {
        match part {
            Component::ParentDir => {
                whole.pop();
            }
            Component::CurDir => {}
            part => whole.push(part),
        }
    }
    whole.display().to_string()
}

/// Why a file cannot be used, as Go says it: `no such file or directory`.
pub fn go_error(error: &std::io::Error) -> String {
    let errno = error.raw_os_error().map(nix::errno::Errno::from_raw);
    errno.map_or_else(|| error.to_string(), |errno| errno.desc().to_lowercase())
}
