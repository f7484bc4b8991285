//! `stop`, `restart`, `kill`, `pause`, `unpause`, `rm` and `wait`: one request a container, one line
//! each.

use super::args::{Kill, Pause, Restart, Rm, Stop, Unpause, Wait};
use crate::cli::{Context, Failure, output};
use crate::client::Error;

/// Stops containers, all at once: each has its own patience.
pub async fn stop(context: &Context, stop: Stop) -> Result<(), Failure> {
    let signal = stop.signal.as_deref();
    let stops = stop
        .containers
        .iter()
        .map(|id| async move { (id, context.client.stop_container(id, signal, stop.timeout).await) });
    each(futures_util::future::join_all(stops).await)
}

/// Restarts containers, all at once.
pub async fn restart(context: &Context, restart: Restart) -> Result<(), Failure> {
    let (client, signal) = (&context.client, restart.signal.as_deref());
    let restarts = restart
        .containers
        .iter()
        .map(|id| async move { (id, client.restart_container(id, signal, restart.timeout).await) });
    each(futures_util::future::join_all(restarts).await)
}

/// Freezes containers.
pub async fn pause(context: &Context, pause: Pause) -> Result<(), Failure> {
    let client = &context.client;
    let pauses = pause.containers.iter().map(|id| async move { (id, client.pause_container(id).await) });
    each(futures_util::future::join_all(pauses).await)
}

/// Lets frozen containers go on.
pub async fn unpause(context: &Context, unpause: Unpause) -> Result<(), Failure> {
    let client = &context.client;
    let thaws = unpause.containers.iter().map(|id| async move { (id, client.unpause_container(id).await) });
    each(futures_util::future::join_all(thaws).await)
}

/// Sends a signal.
pub async fn kill(context: &Context, kill: Kill) -> Result<(), Failure> {
    let mut answers = Vec::new();
    for id in &kill.containers {
        answers.push((id, context.client.kill_container(id, kill.signal.as_deref()).await));
    }
    each(answers)
}

/// Removes containers.
pub async fn remove(context: &Context, rm: Rm) -> Result<(), Failure> {
    let mut answers = Vec::new();
    for name in &rm.containers {
        let id = name.trim_start_matches('/');
        let removed = match rm.link {
            true => context.client.remove_link(id).await,
            false => context.client.remove_container(id, rm.force, rm.volumes).await,
        };
        let absent = removed.as_ref().err().and_then(Error::status).is_some_and(|status| status == 404);
        // Docker's `rm -f` is content when there is nothing to remove, but says so.
        if rm.force && absent {
            if let Err(error) = &removed {
                output::error_line(&error.to_string())?;
            }
            continue;
        }
        answers.push((name, removed));
    }
    each(answers)
}

/// Waits for containers to end and prints their exit codes.
pub async fn wait(context: &Context, wait: Wait) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for id in &wait.containers {
        let code = match context.client.wait_container(id, None).await {
            Ok(waiting) => waiting.exit_code().await,
            Err(error) => Err(error),
        };
        match code {
            Ok(code) => output::line(&code.to_string())?,
            Err(error) => failures.push(error.into()),
        }
    }
    Failure::all(failures)
}

/// Names what went well, collects what did not.
fn each(answers: Vec<(&String, Result<(), Error>)>) -> Result<(), Failure> {
    let mut failures = Vec::new();
    for (name, answer) in answers {
        match answer {
            Ok(()) => output::line(name)?,
            Err(error) => failures.push(error.into()),
        }
    }
    Failure::all(failures)
}
