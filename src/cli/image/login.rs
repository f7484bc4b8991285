//! `learn login` and `learn logout`: credentials into `~/.docker/config.json`, where every client
//! of Docker's finds them, or into the store or helper it names.

use super::args::{Login, Logout};
use crate::cli::{Context, Failure, output};
use crate::client::image;
use crate::wire::credentials::{HUB_KEY, Kept, Keyring};
use crate::wire::{AuthRequest, Credentials};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Read, Write};

const INSECURE: &str = "WARNING! Using --password via the CLI is insecure. Use --password-stdin.";
const NO_TERMINAL: &str = "Error: Cannot perform an interactive login from a non TTY device";
const HUB_ADVICE: &str = "Log in with your Docker ID or email address to push and pull images from Docker Hub. If you don't have a \
     Docker ID, head over to https://hub.docker.com/ to create one.\nYou can log in with your password or a \
     Personal Access Token (PAT). Using a limited-scope PAT grants better security and is required for \
     organizations using SSO. Learn more at https://docs.docker.com/go/access-tokens/\n";

/// Proves who the user is to a registry, and keeps the proof.
pub async fn login(context: &Context, args: Login) -> Result<(), Failure> {
    let password = password(&args)?;
    let server = match args.server.as_deref() {
        None | Some("docker.io") => HUB_KEY.to_owned(),
        Some(server) => host_of(server).to_owned(),
    };
    let mut known = Credentials::Anonymous;
    if args.username.is_none() && password.is_none() {
        known = image::credentials(&server).await?;
        if let Credentials::Basic { user, .. } = &known {
            output::error_line(&format!(
                "Authenticating with existing credentials... [Username: {user}]\n\n Info -> To login with a \
                 different account, run 'learn logout' followed by 'learn login'\n\n"
            ))?;
            let asked = request(&server, &known);
            match context.client.authenticate(&asked).await {
                Ok(answer) => return keep(&server, &asked, &answer.identity_token, &answer.status),
                Err(error) => output::error_line(&format!("Login did not succeed, error: {error}"))?,
            }
        }
    }
    let (user, password) = ask(&server, args.username, password, known.user())?;
    let asked = request(&server, &Credentials::Basic { user, password });
    let answer = context.client.authenticate(&asked).await?;
    keep(&server, &asked, &answer.identity_token, &answer.status)
}

fn request(server: &str, credentials: &Credentials) -> AuthRequest {
    let serveraddress = server.to_owned();
    match credentials {
        Credentials::Basic { user, password } => AuthRequest {
            username: user.clone(),
            password: password.clone(),
            serveraddress,
            ..AuthRequest::default()
        },
        Credentials::IdentityToken(token) => {
            AuthRequest { identitytoken: token.clone(), serveraddress, ..AuthRequest::default() }
        }
        _ => AuthRequest { serveraddress, ..AuthRequest::default() },
    }
}

fn keep(server: &str, asked: &AuthRequest, identity: &str, status: &str) -> Result<(), Failure> {
    let credentials = match identity {
        "" => Credentials::Basic { user: asked.username.clone(), password: asked.password.clone() },
        token => Credentials::IdentityToken(token.to_owned()),
    };
    let keyring = Keyring::open(&image::config_directory().ok_or_else(no_home)?);
    if let Kept::InTheOpen(file) = keyring.keep(server, &credentials).map_err(crate::client::Error::from)? {
        output::error_line(&format!(
            "\nWARNING! Your credentials are stored unencrypted in '{}'.\nConfigure a credential helper to remove \
             this warning. See\nhttps://docs.docker.com/go/credential-store/\n",
            file.display()
        ))?;
    }
    output::line(status)
}

/// Forgets a registry's credentials.
pub async fn logout(_context: &Context, args: Logout) -> Result<(), Failure> {
    let (shown, keys) = match args.server.as_deref() {
        None | Some("docker.io") => (HUB_KEY.to_owned(), vec![HUB_KEY.to_owned()]),
        Some(server) => {
            let host = host_of(server).to_owned();
            let mut keys = vec![server.to_owned()];
            keys.extend([host.clone(), format!("http://{host}"), format!("https://{host}")]);
            (host, keys)
        }
    };
    output::line(&format!("Removing login credentials for {shown}"))?;
    let keyring = Keyring::open(&image::config_directory().ok_or_else(no_home)?);
    let mut failures = Vec::new();
    for key in &keys {
        if let Err(error) = keyring.forget(key) {
            failures.push(format!("{key}: {error}"));
        }
    }
    if failures.len() == keys.len() {
        output::error_line(&format!("WARNING: could not erase credentials:\n{}", failures.join("\n")))?;
    }
    Ok(())
}

fn no_home() -> Failure {
    Failure::File("neither $DOCKER_CONFIG nor a home directory is known".into())
}

/// What the flags say the password is.
fn password(args: &Login) -> Result<Option<String>, Failure> {
    if args.password.is_some() && args.password_stdin {
        let conflict = "conflicting options: cannot specify both --password and --password-stdin";
        return Err(Failure::Arguments(conflict.into()));
    }
    if args.password.is_some() {
        output::error_line(INSECURE)?;
    }
    if !args.password_stdin {
        return Ok(args.password.clone());
    }
    if args.username.is_none() {
        return Err(Failure::Arguments("the --password-stdin option requires --username to be set".into()));
    }
    let mut text = String::new();
    io::stdin().read_to_string(&mut text)?;
    let text = text.strip_suffix('\n').unwrap_or(&text);
    Ok(Some(text.strip_suffix('\r').unwrap_or(text).to_owned()))
}

/// Asks for what is missing; at a terminal only.
fn ask(
    server: &str,
    user: Option<String>,
    password: Option<String>,
    known: &str,
) -> Result<(String, String), Failure> {
    if let (Some(user), Some(password)) = (&user, &password) {
        return Ok((user.clone(), password.clone()));
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::Arguments(NO_TERMINAL.into()));
    }
    let user = match user {
        Some(user) => user,
        None => {
            if server == HUB_KEY {
                output::line(HUB_ADVICE)?;
            }
            let hint = if known.is_empty() { String::new() } else { format!(" ({known})") };
            let typed = prompt(&format!("Username{hint}: "))?;
            if typed.is_empty() { known.to_owned() } else { typed }
        }
    };
    if user.is_empty() {
        return Err(Failure::Arguments("Error: Non-null Username Required".into()));
    }
    let password = match password {
        Some(password) => password,
        None => {
            let typed = without_echo(|| prompt("Password: "))?;
            output::line("")?;
            typed
        }
    };
    if password.is_empty() {
        return Err(Failure::Arguments("Error: Password Required".into()));
    }
    Ok((user, password))
}

fn prompt(text: &str) -> Result<String, Failure> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    stdout.flush()?;
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Runs with what is typed kept off the screen: termios(3).
fn without_echo<T>(ask: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let before = tcgetattr(io::stdin()).map_err(io::Error::from)?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &silent).map_err(io::Error::from)?;
    let asked = ask();
    tcsetattr(io::stdin(), OptionalActions::Now, &before).map_err(io::Error::from)?;
    asked
}

/// `https://host:5000/v2/` is `host:5000`.
fn host_of(server: &str) -> &str {
    let rest = server.trim_start_matches("https://").trim_start_matches("http://");
    rest.split('/').next().unwrap_or(rest)
}
