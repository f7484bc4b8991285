//! Where logins are kept: the helper or store that `config.json` names, else the file itself.

use super::{Credentials, Error, HUB_KEY, TOKEN_USER, lenient};
use base64::alphabet;
use base64::engine::Engine;
use serde_json::{Map, Value, json};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where a login went.
#[derive(Debug, PartialEq, Eq)]
pub enum Kept {
    /// To a helper program.
    ByHelper,
    /// Nowhere: it is in the file already.
    AsBefore,
    /// Into a file that anybody who can read it can use.
    InTheOpen(PathBuf),
}

/// `~/.docker/config.json` or what `$DOCKER_CONFIG` says, and the programs it names.
#[derive(Debug)]
pub struct Keyring {
    path: PathBuf,
}

impl Keyring {
    /// The keyring of a configuration directory, which need not exist.
    pub fn open(directory: &Path) -> Keyring {
        Keyring { path: directory.join("config.json") }
    }

    /// Keeps a login.
    ///
    /// # Errors
    /// A malformed file, a helper that fails, a file that cannot be written.
    pub fn keep(&self, registry: &str, credentials: &Credentials) -> Result<Kept, Error> {
        let mut file = self.read()?;
        if let Some(helper) = helper(&file, registry) {
            let (user, secret) = match credentials {
                Credentials::Basic { user, password } => (user.as_str(), password.as_str()),
                Credentials::IdentityToken(token) => (TOKEN_USER, token.as_str()),
                _ => return Ok(Kept::ByHelper),
            };
            let login = json!({ "ServerURL": registry, "Username": user, "Secret": secret });
            run_helper(&helper, "store", registry, &login.to_string())?;
            return Ok(Kept::ByHelper);
        }
        let login = match credentials {
            Credentials::Basic { user, password } => {
                let auth = lenient(&alphabet::STANDARD).encode(format!("{user}:{password}"));
                json!({ "auth": auth })
            }
            Credentials::IdentityToken(token) => json!({ "identitytoken": token }),
            _ => json!({}),
        };
        let auths = file.entry("auths").or_insert_with(|| json!({}));
        if !auths.is_object() {
            *auths = json!({});
        }
        if auths.get(registry) == Some(&login) {
            return Ok(Kept::AsBefore);
        }
        auths[registry] = login;
        self.write(&file)?;
        Ok(Kept::InTheOpen(self.path.clone()))
    }

    /// Forgets a login; one that is not there is forgotten already.
    ///
    /// # Errors
    /// As [`Keyring::keep`].
    pub fn forget(&self, registry: &str) -> Result<(), Error> {
        let mut file = self.read()?;
        if let Some(helper) = helper(&file, registry) {
            return match run_helper(&helper, "erase", registry, registry) {
                Err(Error::Helper { reason, .. }) if reason.contains("credentials not found") => Ok(()),
                result => result,
            };
        }
        let auths = file.get_mut("auths").and_then(Value::as_object_mut);
        if auths.is_some_and(|auths| auths.remove(registry).is_some()) {
            self.write(&file)?;
        }
        Ok(())
    }

    fn read(&self) -> Result<Map<String, Value>, Error> {
        let text = match std::fs::read(&self.path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Map::new()),
            Err(error) => return Err(Error::Read { path: self.path.clone(), reason: error.to_string() }),
        };
        serde_json::from_slice(&text).map_err(|error| Error::Malformed {
            path: self.path.clone(),
            expected: "file",
            reason: error.to_string(),
        })
    }

    /// Replaces the file; what else is in it stays. Only its owner may read it.
    fn write(&self, file: &Map<String, Value>) -> Result<(), Error> {
        let refused =
            |error: std::io::Error| Error::Write { path: self.path.clone(), reason: error.to_string() };
        let directory = self.path.parent().unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(refused)?;
        let mut text = Vec::new();
        let tabs = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut serializer = serde_json::Serializer::with_formatter(&mut text, tabs);
        serde::Serialize::serialize(file, &mut serializer)
            .map_err(|error| refused(std::io::Error::other(error)))?;
        let mut temporary = tempfile::NamedTempFile::new_in(directory).map_err(refused)?;
        temporary.write_all(&text).map_err(refused)?;
        let mode = std::fs::Permissions::from_mode(0o600);
        temporary.as_file().set_permissions(mode).map_err(refused)?;
        // A link is somebody's choice of place.
        let target = std::fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        temporary.persist(target).map_err(|error| refused(error.error))?;
        Ok(())
    }
}

/// The program for a registry: its own, else the general store.
fn helper(file: &Map<String, Value>, registry: &str) -> Option<String> {
    let hub = if registry == HUB_KEY { Some("docker.io") } else { None };
    let own = file.get("credHelpers").and_then(Value::as_object);
    let own = own.and_then(|all| all.get(registry).or_else(|| all.get(hub?)));
    let name = own.or_else(|| file.get("credsStore"))?.as_str().filter(|name| !name.is_empty())?;
    Some(format!("docker-credential-{name}"))
}

/// Runs `docker-credential-<name> store|erase`, what it wants to know on its standard input.
fn run_helper(program: &str, action: &str, registry: &str, input: &str) -> Result<(), Error> {
    let failed =
        |reason: String| Error::Helper { program: program.into(), registry: registry.into(), reason };
    let mut child = Command::new(program)
        .arg(action)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read has failed in a way its answer tells better.
        let _ = stdin.write_all(input.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Err(failed(if said.is_empty() { output.status.to_string() } else { said }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.into(), password: password.into() }
    }

    #[test]
    fn a_login_is_kept_found_and_forgotten_and_the_rest_of_the_file_stays() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = directory.path().join("config.json");
        std::fs::write(&path, r#"{"psFormat":"table {{.ID}}","auths":{"other":{"auth":"YTpi"}}}"#)
            .expect("written");
        let keyring = Keyring::open(directory.path());
        let kept = keyring.keep("reg.local:5000", &basic("ann", "s:ecret")).expect("kept");
        assert_eq!(kept, Kept::InTheOpen(path.clone()));
        let mode = std::fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Credentials::find(directory.path(), "reg.local:5000"), Ok(basic("ann", "s:ecret")));
        keyring.forget("reg.local:5000").expect("forgotten");
        assert_eq!(Credentials::find(directory.path(), "reg.local:5000"), Ok(Credentials::Anonymous));
        let left = std::fs::read_to_string(&path).expect("there");
        assert!(left.contains("psFormat") && left.contains("other"), "{left}");
    }

    #[test]
    fn a_helper_is_given_the_login_and_told_to_forget_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let log = directory.path().join("log");
        let helper = directory.path().join("docker-credential-test");
        let script = format!("#!/bin/sh\n(echo \"$1\"; cat) >> {}\n", log.display());
        std::fs::write(&helper, script).expect("a script");
        std::fs::set_permissions(&helper, std::fs::Permissions::from_mode(0o755)).expect("its mode");
        let program = helper.to_str().expect("utf-8");
        run_helper(program, "store", "r", r#"{"ServerURL":"r"}"#).expect("stored");
        run_helper(program, "erase", "r", "r").expect("erased");
        let said = std::fs::read_to_string(&log).expect("a log");
        assert_eq!(said, "store\n{\"ServerURL\":\"r\"}erase\nr");
        let file: Map<String, Value> =
            serde_json::from_str(r#"{"credsStore":"pass","credHelpers":{"docker.io":"hub","r":"own"}}"#)
                .expect("json");
        let program = |registry: &str| helper_name(&file, registry);
        assert_eq!(program("r"), "docker-credential-own");
        assert_eq!(program(HUB_KEY), "docker-credential-hub");
        assert_eq!(program("x"), "docker-credential-pass");
    }

    fn helper_name(file: &Map<String, Value>, registry: &str) -> String {
        helper(file, registry).unwrap_or_default()
    }
}
