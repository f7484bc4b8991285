//! `learn start` and `learn attach`: join a container that is there already.

use super::args::{Attach, Start, Terminal};
use super::detach;
use super::streams::{self, Join, Left, Signals};
use super::terminal::{self, Subject, Window};
use crate::cli::{Context, Failure, output};
use crate::client::container::{Condition, Streams};
use crate::wire::ContainerInspect;

/// Starts containers; with `-a` or `-i` one, with its streams joined to ours.
pub async fn start(context: &Context, start: Start) -> Result<(), Failure> {
    if start.attach || start.interactive {
        let [id] = start.containers.as_slice() else {
            return Err(Failure::Arguments(
                "you cannot start and attach multiple containers at once".to_owned(),
            ));
        };
        return start_attached(context, id, &start).await;
    }
    let (mut failed, mut failures) = (Vec::new(), Vec::new());
    for id in &start.containers {
        match context.client.start_container(id).await {
            Ok(()) => output::line(id)?,
            Err(error) => {
                failures.push(error.into());
                failed.push(id.as_str());
            }
        }
    }
    if !failed.is_empty() {
        failures
            .push(Failure::Arguments(format!("Error: failed to start containers: {}", failed.join(", "))));
    }
    Failure::all(failures)
}

async fn start_attached(context: &Context, name: &str, start: &Start) -> Result<(), Failure> {
    let client = &context.client;
    let container = client.inspect_container(name).await?;
    let (config, id) = (&container.config, &container.id);
    let signals = Signals::forward(context, id, start.session.sig_proxy && !config.tty)?;
    let joined = joined(&container, start.interactive, &start.session);
    let hijacked = client.attach_container(id, joined.streams()).await?;
    let attached = streams::join(hijacked, joined.how, context.running())?;
    let condition = if container.host_config.auto_remove { Condition::Removed } else { Condition::NextExit };
    let wait = client.wait_container(id, Some(condition)).await?;
    client.start_container(id).await?;
    let window = window(context, &container)?;
    if attached.over().await? == Left::Detached {
        return Ok(());
    }
    let code = wait.exit_code().await?;
    drop((signals, window));
    output::exited(code)
}

/// Joins our streams to a running container's until it ends.
pub async fn attach(context: &Context, attach: Attach) -> Result<(), Failure> {
    let client = &context.client;
    let wait = client.wait_container(&attach.container, None).await?;
    let container = client.inspect_container(&attach.container).await?;
    let refuse = |message: &str| Err(Failure::Arguments(message.to_owned()));
    if !container.state.running {
        return refuse("You cannot attach to a stopped container, start it first");
    }
    if container.state.paused {
        return refuse("You cannot attach to a paused container, unpause it first");
    }
    if container.state.restarting {
        return refuse("You cannot attach to a restarting container, wait until it is running");
    }
    let (config, id) = (&container.config, &container.id);
    terminal::check(!attach.no_stdin && config.open_stdin, config.tty)?;
    let signals = Signals::forward(context, id, attach.session.sig_proxy && !config.tty)?;
    let joined = joined(&container, !attach.no_stdin, &attach.session);
    let hijacked = client.attach_container(id, joined.streams()).await?;
    // It may have ended between the two questions; the wait knows then.
    let window = window(context, &container)?;
    if streams::join(hijacked, joined.how, None)?.over().await? == Left::Detached {
        return Err(Failure::Arguments(detach::LEFT.to_owned()));
    }
    let code = wait.exit_code().await?;
    drop((signals, window));
    output::exited(code)
}

/// What is asked of an attach, and how it is joined.
struct Joined {
    how: Join,
    named: Option<String>,
}

impl Joined {
    fn streams(&self) -> Streams {
        Streams { stdin: self.how.stdin, stdout: true, stderr: true, detach_keys: self.named.clone() }
    }
}

fn joined(container: &ContainerInspect, stdin: bool, session: &Terminal) -> Joined {
    let config = &container.config;
    let (detach, named) = detach::keys(session.detach_keys.as_deref());
    let how = Join {
        stdin: stdin && config.open_stdin,
        tty: config.tty,
        detach,
        signals: session.sig_proxy && !config.tty,
    };
    Joined { how, named }
}

fn window(context: &Context, container: &ContainerInspect) -> Result<Option<Window>, Failure> {
    match container.config.tty {
        true => Window::follow(context, Subject::Container(container.id.clone())),
        false => Ok(None),
    }
}
