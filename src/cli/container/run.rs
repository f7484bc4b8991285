//! `learn run`: the calls Docker's client makes, in its order. create (404: pull, create
//! again) → attach → wait → start. The wait is noted before the start, or a program that ends
//! at once would be missed.

use super::args::Run;
use super::create;
use super::detach;
use super::streams::{self, Join, Left, Signals};
use super::terminal::{self, Subject, Window};
use crate::cli::failure::while_at;
use crate::cli::{Context, Failure, output};
use crate::client::container::{Condition, Streams};

/// Runs a container; its program's exit code is the failure to end with.
pub async fn run(context: &Context, run: Run) -> Result<(), Failure> {
    if run.detach && !run.shape.attach.is_empty() {
        return Err(Failure::Arguments(
            "conflicting options: cannot specify both --attach and --detach".to_owned(),
        ));
    }
    if !run.detach {
        terminal::check(create::attached(&run.shape).stdin, run.shape.tty)?;
    }
    let id = create::make(context, "run", &run.shape, !run.detach).await?;
    let ran = started(context, &run, &id).await;
    if context.aborted() {
        context.turn_back().await;
        // What the learner stopped leaves nothing behind; the daemon may have removed it already.
        let _ = context.client.remove_container(&id, true, true).await;
        return Err(Failure::Aborted);
    }
    ran
}

async fn started(context: &Context, run: &Run, id: &str) -> Result<(), Failure> {
    let client = &context.client;
    let condition = if run.shape.rm { Condition::Removed } else { Condition::NextExit };
    if run.detach {
        let wait = client.wait_container(id, Some(condition)).await.map_err(while_at("run"))?;
        client.start_container(id).await.map_err(while_at("run"))?;
        drop(wait);
        return output::line(id);
    }
    let signals = Signals::forward(context, id, run.session.sig_proxy)?;
    let (detach, named) = detach::keys(run.session.detach_keys.as_deref());
    let streams = Streams { detach_keys: named, ..create::attached(&run.shape) };
    let join = Join {
        stdin: streams.stdin && run.shape.interactive,
        tty: run.shape.tty,
        detach,
        signals: run.session.sig_proxy,
    };
    let attached = match streams.stdin || streams.stdout || streams.stderr {
        true => {
            let hijacked = client.attach_container(id, streams).await.map_err(while_at("run"))?;
            Some(streams::join(hijacked, join, context.running())?)
        }
        false => None,
    };
    let wait = client.wait_container(id, Some(condition)).await.map_err(while_at("run"))?;
    if let Err(error) = client.start_container(id).await {
        // With --rm the daemon removes what never ran; leave when it is gone, as Docker does.
        if run.shape.rm && !context.aborted() {
            let _ = wait.exit_code().await;
        }
        return Err(while_at("run")(error));
    }
    let window = match run.shape.tty {
        true => Window::follow(context, Subject::Container(id.to_owned()))?,
        false => None,
    };
    if let Some(attached) = attached
        && attached.over().await? == Left::Detached
    {
        return Ok(());
    }
    let code = wait.exit_code().await.map_err(while_at("run"))?;
    drop((signals, window));
    output::exited(code)
}
