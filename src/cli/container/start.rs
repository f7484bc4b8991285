//! `learn start` and `learn attach`: join a container that is there already.

use super::args::{Attach, Start};
use super::streams::{self, Signals};
use crate::cli::{Context, Failure, output};
use crate::client::container::{Condition, Streams};

/// Starts containers; with `-a` or `-i` one, with its streams joined to ours.
pub async fn start(context: &Context, start: Start) -> Result<(), Failure> {
    if start.attach || start.interactive {
        let [id] = start.containers.as_slice() else {
            return Err(Failure::Arguments(
                "you cannot start and attach multiple containers at once".to_owned(),
            ));
        };
        return start_attached(context, id, start.interactive).await;
    }
    let mut failures = Vec::new();
    for id in &start.containers {
        match context.client.start_container(id).await {
            Ok(()) => output::line(id)?,
            Err(error) => failures.push(error.into()),
        }
    }
    Failure::all(failures)
}

async fn start_attached(context: &Context, name: &str, stdin: bool) -> Result<(), Failure> {
    let client = &context.client;
    let container = client.inspect_container(name).await?;
    let stdin = stdin && container.config.open_stdin;
    let signals = Signals::forward(context, &container.id)?;
    let hijacked =
        client.attach_container(&container.id, Streams { stdin, stdout: true, stderr: true }).await?;
    let attached = streams::join(hijacked, stdin, context.running());
    let condition = if container.host_config.auto_remove { Condition::Removed } else { Condition::NextExit };
    let wait = client.wait_container(&container.id, Some(condition)).await?;
    client.start_container(&container.id).await?;
    attached.output_ended().await?;
    let code = wait.exit_code().await?;
    drop(signals);
    output::exited(code)
}

/// Joins our streams to a running container's until it ends.
pub async fn attach(context: &Context, attach: Attach) -> Result<(), Failure> {
    let client = &context.client;
    let wait = client.wait_container(&attach.container, None).await?;
    let container = client.inspect_container(&attach.container).await?;
    if !container.state.running {
        return Err(Failure::Arguments(
            "You cannot attach to a stopped container, start it first".to_owned(),
        ));
    }
    if container.state.paused {
        return Err(Failure::Arguments(
            "You cannot attach to a paused container, unpause it first".to_owned(),
        ));
    }
    let stdin = !attach.no_stdin && container.config.open_stdin;
    let hijacked =
        client.attach_container(&container.id, Streams { stdin, stdout: true, stderr: true }).await?;
    let signals = Signals::forward(context, &container.id)?;
    streams::join(hijacked, stdin, None).output_ended().await?;
    let code = wait.exit_code().await?;
    drop(signals);
    output::exited(code)
}
