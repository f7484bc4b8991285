//! `learn exec`: a further program in a running container. The calls of Docker's client, in its
//! order: inspect, note, start with the streams, resize, and the exit code at the end.

use super::args::Exec;
use super::streams::{self, Join, Left};
use super::terminal::{self, Subject, Window};
use super::{detach, environment};
use crate::cli::{Context, Failure, output};
use crate::wire::ExecConfig;

/// Runs a program; its exit code is the failure to end with.
pub async fn exec(context: &Context, exec: Exec) -> Result<(), Failure> {
    let client = &context.client;
    client.inspect_container(&exec.container).await?;
    if !exec.detach {
        terminal::check(exec.interactive, exec.tty)?;
    }
    let (keys, named) = detach::keys(exec.detach_keys.as_deref());
    let config = ExecConfig {
        user: exec.user.clone().unwrap_or_default(),
        privileged: exec.privileged,
        tty: exec.tty,
        attach_stdin: !exec.detach && exec.interactive,
        attach_stdout: !exec.detach,
        attach_stderr: !exec.detach,
        detach: exec.detach,
        detach_keys: named.unwrap_or_default(),
        env: environment::collect(&exec.env, &exec.env_file)?,
        working_dir: exec.workdir.clone().unwrap_or_default(),
        cmd: exec.command.clone(),
        ..ExecConfig::default()
    };
    let id = client.create_exec(&exec.container, &config).await?;
    if exec.detach {
        return Ok(client.start_exec_detached(&id, exec.tty).await?);
    }
    let hijacked = client.start_exec(&id, exec.tty).await?;
    let how = Join { stdin: exec.interactive, tty: exec.tty, detach: keys, signals: false };
    let attached = streams::join(hijacked, how, None)?;
    let window = match exec.tty {
        true => Window::follow(context, Subject::Exec(id.clone()))?,
        false => None,
    };
    if attached.over().await? == Left::Detached {
        return Err(Failure::Arguments(detach::LEFT.to_owned()));
    }
    drop(window);
    output::exited(client.inspect_exec(&id).await?.exit_code.unwrap_or_default())
}
