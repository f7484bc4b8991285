//! `learn logs`: what a container wrote, each stream to its own.

use super::args;
use super::streams;
use crate::cli::{Context, Failure, moment};
use crate::client::container::Logs;

/// Prints a container's log.
pub async fn logs(context: &Context, logs: args::Logs) -> Result<(), Failure> {
    let (since, until) = (logs.since.as_deref(), logs.until.as_deref());
    let wanted = Logs {
        follow: logs.follow,
        tail: logs.tail,
        since: moment::option("--since", since)?,
        until: moment::option("--until", until)?,
        timestamps: logs.timestamps,
        details: logs.details,
    };
    let container = context.client.inspect_container(&logs.container).await?;
    streams::copy_log(context.client.container_logs(&container.id, container.config.tty, &wanted).await?)
        .await
}
