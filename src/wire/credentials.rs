//! Who asks: `X-Registry-Auth` of the API, and `~/.docker/config.json` with its helpers.
//!
//! The client sends them; the daemon hands them to the registry.

mod keyring;

pub use keyring::{Kept, Keyring};

use crate::error::{Classify, Kind};
use crate::text::{Lang, ui};
use base64::alphabet;
use base64::engine::{DecodePaddingMode, Engine, GeneralPurpose, GeneralPurposeConfig};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The key under which `docker login` keeps Docker Hub's entry.
pub const HUB_KEY: &str = "https://index.docker.io/v1/";
/// The user name with which a helper marks that the secret is an identity token.
const TOKEN_USER: &str = "<token>";

/// How a user proves who they are.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Credentials {
    /// Nobody in particular.
    #[default]
    Anonymous,
    /// Name and password.
    Basic {
        /// Name.
        user: String,
        /// Password or access token.
        password: String,
    },
    /// A refresh token, exchanged for short-lived ones.
    IdentityToken(String),
    /// A bearer token, sent as it is.
    RegistryToken(String),
}

/// Never shows a secret.
impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("Anonymous"),
            Credentials::Basic { user, .. } => write!(f, "Basic({user}:***)"),
            Credentials::IdentityToken(_) => f.write_str("IdentityToken(***)"),
            Credentials::RegistryToken(_) => f.write_str("RegistryToken(***)"),
        }
    }
}

/// Why credentials could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The file is there and cannot be read.
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The file is not what it should be.
    Malformed {
        /// The file.
        path: PathBuf,
        /// What belongs there: the end of `login.expected-<…>` in `lessons/ui.yaml`.
        expected: &'static str,
        /// The parser's word, with line and column.
        reason: String,
    },
    /// A credential helper cannot be run or fails.
    Helper {
        /// `docker-credential-<name>`.
        program: String,
        /// The key asked for.
        registry: String,
        /// What it said.
        reason: String,
    },
    /// The file cannot be written.
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// The API header is not what it should be.
    Header(String),
}

impl Error {
    /// The failure in the learner's language; what a program other than ours said stays as it is.
    pub fn say(&self, lang: Lang) -> String {
        match self {
            Error::Read { path, reason } => {
                ui(lang, "login.read", &[("path", &path.display()), ("reason", reason)])
            }
            Error::Write { path, reason } => {
                ui(lang, "login.write", &[("path", &path.display()), ("reason", reason)])
            }
            Error::Malformed { path, expected, reason } => {
                let expected = ui(lang, &format!("login.expected-{expected}"), &[]);
                let path = path.display();
                ui(lang, "login.malformed", &[("path", &path), ("expected", &expected), ("reason", reason)])
            }
            Error::Helper { program, registry, reason } => {
                ui(lang, "login.helper", &[("program", program), ("registry", registry), ("reason", reason)])
            }
            Error::Header(reason) => ui(lang, "login.header", &[("reason", reason)]),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.say(Lang::En))
    }
}

impl std::error::Error for Error {}

impl Classify for Error {
    fn kind(&self) -> Kind {
        Kind::Invalid
    }
}

/// Docker's shape of one login, in the header and in the file.
#[derive(Default, Serialize, Deserialize)]
#[serde(default)]
struct AuthConfig {
    #[serde(skip_serializing_if = "String::is_empty")]
    username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    password: String,
    /// Base64 of `user:password`.
    #[serde(skip_serializing_if = "String::is_empty")]
    auth: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    identitytoken: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    registrytoken: String,
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct ConfigFile {
    auths: BTreeMap<String, AuthConfig>,
    cred_helpers: BTreeMap<String, String>,
    creds_store: String,
}

/// What a helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

impl Credentials {
    /// The user's name, empty where there is none; it tells cached tokens apart.
    pub fn user(&self) -> &str {
        match self {
            Credentials::Basic { user, .. } => user,
            Credentials::IdentityToken(_) => TOKEN_USER,
            Credentials::Anonymous | Credentials::RegistryToken(_) => "",
        }
    }

    /// Reads the API's header; an empty one and `{}` are nobody.
    ///
    /// # Errors
    /// When it is not JSON in base64url.
    pub fn from_header(header: &str) -> Result<Credentials, Error> {
        if header.is_empty() {
            return Ok(Credentials::Anonymous);
        }
        let bytes = lenient(&alphabet::URL_SAFE)
            .decode(header)
            .or_else(|_| lenient(&alphabet::STANDARD).decode(header))
            .map_err(|error| Error::Header(error.to_string()))?;
        let login: AuthConfig = serde_json::from_slice(&bytes)
            .map_err(|error| Error::Header(format!("line {} column {}", error.line(), error.column())))?;
        login.read().map_err(Error::Header)
    }

    /// Writes the API's header.
    pub fn to_header(&self) -> String {
        let mut login = AuthConfig::default();
        match self {
            Credentials::Anonymous => {}
            Credentials::Basic { user, password } => {
                login.username = user.clone();
                login.password = password.clone();
            }
            Credentials::IdentityToken(token) => login.identitytoken = token.clone(),
            Credentials::RegistryToken(token) => login.registrytoken = token.clone(),
        }
        lenient(&alphabet::URL_SAFE).encode(serde_json::to_vec(&login).unwrap_or_default())
    }

    /// Looks a registry up in `<directory>/config.json` (`$DOCKER_CONFIG` or `~/.docker`): its
    /// own helper, then the general store, then the file. A missing file is nobody.
    ///
    /// # Errors
    /// When the file is malformed, or a helper fails for another reason than knowing nothing.
    pub fn find(directory: &Path, registry: &str) -> Result<Credentials, Error> {
        let path = directory.join("config.json");
        let text = match std::fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Credentials::Anonymous),
            Err(error) => return Err(Error::Read { path, reason: error.to_string() }),
        };
        let malformed = |expected, reason| Error::Malformed { path: path.clone(), expected, reason };
        let config: ConfigFile =
            serde_json::from_slice(&text).map_err(|error| malformed("file", error.to_string()))?;
        let key = if registry == "docker.io" { HUB_KEY } else { registry };
        let helper = config.cred_helpers.get(key).or(config.cred_helpers.get(registry));
        if let Some(name) = helper.or(Some(&config.creds_store).filter(|name| !name.is_empty())) {
            return ask_helper(&format!("docker-credential-{name}"), key);
        }
        let entry = config.auths.iter().find(|(name, _)| same_registry(name, key));
        let Some((_, login)) = entry else { return Ok(Credentials::Anonymous) };
        login.read().map_err(|reason| malformed("auth", reason))
    }
}

impl AuthConfig {
    fn read(&self) -> Result<Credentials, String> {
        if !self.registrytoken.is_empty() {
            return Ok(Credentials::RegistryToken(self.registrytoken.clone()));
        }
        if !self.identitytoken.is_empty() {
            return Ok(Credentials::IdentityToken(self.identitytoken.clone()));
        }
        if !self.auth.is_empty() {
            let bytes = lenient(&alphabet::STANDARD).decode(&self.auth).map_err(|error| error.to_string())?;
            let text = String::from_utf8(bytes).map_err(|_| "not utf-8".to_owned())?;
            let (user, password) = text.split_once(':').ok_or("no colon")?;
            let password = password.trim_end_matches('\0').to_owned();
            return Ok(Credentials::Basic { user: user.to_owned(), password });
        }
        if self.username.is_empty() {
            return Ok(Credentials::Anonymous);
        }
        Ok(Credentials::Basic { user: self.username.clone(), password: self.password.clone() })
    }
}

/// Runs `docker-credential-<name> get`, the registry on its standard input.
fn ask_helper(program: &str, registry: &str) -> Result<Credentials, Error> {
    let failed =
        |reason: String| Error::Helper { program: program.into(), registry: registry.into(), reason };
    let mut child = Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A helper that does not read has failed in a way its answer tells better.
        let _ = stdin.write_all(registry.as_bytes());
    }
    let output = child.wait_with_output().map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if said.contains("credentials not found") {
            return Ok(Credentials::Anonymous);
        }
        return Err(failed(if said.is_empty() { output.status.to_string() } else { said }));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
        .map_err(|_| failed("expected a json object with Username and Secret".into()))?;
    Ok(match answer.username.as_str() {
        TOKEN_USER => Credentials::IdentityToken(answer.secret),
        _ => Credentials::Basic { user: answer.username, password: answer.secret },
    })
}

/// Old entries are URLs: `https://host/v1/` is `host`.
fn same_registry(entry: &str, key: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim_start_matches("https://").trim_start_matches("http://");
        text.split('/').next().unwrap_or_default().to_owned()
    };
    entry == key || bare(entry) == bare(key)
}

/// Clients write base64 with and without padding.
fn lenient(alphabet: &base64::alphabet::Alphabet) -> GeneralPurpose {
    let config = GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn basic(user: &str, password: &str) -> Credentials {
        Credentials::Basic { user: user.into(), password: password.into() }
    }

    fn find(text: &str, registry: &str) -> Result<Credentials, Error> {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join("config.json"), text).expect("a file");
        Credentials::find(directory.path(), registry)
    }

    #[test]
    fn a_header_comes_back_as_it_went() {
        for credentials in [
            Credentials::Anonymous,
            basic("ann", "se?cret>"),
            Credentials::IdentityToken("it".into()),
            Credentials::RegistryToken("rt".into()),
        ] {
            assert_eq!(Credentials::from_header(&credentials.to_header()), Ok(credentials.clone()));
            assert!(!format!("{credentials:?}").contains("cret"));
        }
        assert_eq!(Credentials::from_header("e30="), Ok(Credentials::Anonymous));
        assert_eq!(Credentials::from_header("e30"), Ok(Credentials::Anonymous));
        assert!(Credentials::from_header("!").is_err());
    }

    #[test]
    fn logins_are_found_by_registry() {
        let text = r#"{"auths": {"https://index.docker.io/v1/": {"auth": "YW5uOnNlY3JldA=="},
            "reg.local:5000": {"auth": "Ym9iOng6eQ=="}, "https://old.example/v1/": {"identitytoken": "t"}}}"#;
        assert_eq!(find(text, "docker.io"), Ok(basic("ann", "secret")));
        assert_eq!(find(text, "reg.local:5000"), Ok(basic("bob", "x:y")));
        assert_eq!(find(text, "old.example"), Ok(Credentials::IdentityToken("t".into())));
        assert_eq!(find(text, "other.example"), Ok(Credentials::Anonymous));
        let nowhere = Path::new("/nonexistent/learn");
        assert_eq!(Credentials::find(nowhere, "docker.io"), Ok(Credentials::Anonymous));
    }

    #[test]
    fn a_malformed_file_is_named_with_line_and_expectation() {
        let message = find("{\n  \"auths\": 7\n}", "docker.io").expect_err("malformed").to_string();
        assert!(message.contains("config.json: expected an object with auths"), "{message}");
        assert!(message.contains("line 2"), "{message}");
        let message =
            find(r#"{"auths":{"a":{"auth":"bm9jb2xvbg=="}}}"#, "a").expect_err("no colon").to_string();
        assert!(message.ends_with("expected auth as base64 of user:password: no colon"), "{message}");
    }

    #[test]
    fn helpers_are_asked_and_their_failures_named() {
        let directory = tempfile::tempdir().expect("a directory");
        let helper = |name: &str, script: &str| {
            let path = directory.path().join(name);
            std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a script");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("its mode");
            path.to_str().expect("utf-8").to_owned()
        };
        let good = helper("good", r#"read -r who; printf '{"Username":"ann","Secret":"%s %s"}' "$1" "$who""#);
        assert_eq!(ask_helper(&good, "reg.local"), Ok(basic("ann", "get reg.local")));
        let token = helper("token", r#"cat >&2; printf '{"Username":"<token>","Secret":"t"}'"#);
        assert_eq!(ask_helper(&token, "reg.local"), Ok(Credentials::IdentityToken("t".into())));
        let none = helper("none", "echo credentials not found in native keychain; exit 1");
        assert_eq!(ask_helper(&none, "reg.local"), Ok(Credentials::Anonymous));
        let bad = helper("bad", "echo locked; exit 1");
        let message = ask_helper(&bad, "reg.local").expect_err("fails").to_string();
        assert_eq!(message, format!("{bad} get reg.local: locked"));
        let missing =
            find(r#"{"credHelpers":{"a":"learn-test-missing"}}"#, "a").expect_err("missing").to_string();
        assert!(missing.starts_with("docker-credential-learn-test-missing get a: No such file"), "{missing}");
    }
}
