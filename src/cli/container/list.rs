//! `learn ps`: containers as a table.

use super::args::Ps;
use crate::cli::format::{Table, age, size, words};
use crate::cli::{Context, Failure, filter, output};
use crate::client::container::List;
use crate::wire::{ContainerSummary, Port};

/// Characters of a command shown.
const COMMAND: usize = 20;

/// Lists containers.
pub async fn list(context: &Context, ps: Ps) -> Result<(), Failure> {
    let limit = if ps.latest { Some(1) } else { ps.last };
    let filters = filter::collect(&ps.filter)?;
    let list = List { all: ps.all || limit.is_some(), limit, size: ps.size, filters };
    let containers = context.client.list_containers(&list).await?;
    output::text(&match ps.quiet {
        true => containers.iter().map(|one| words::id(&one.id, ps.no_trunc) + "\n").collect(),
        false => table(&containers, &ps, age::now()),
    })
}

fn table(containers: &[ContainerSummary], ps: &Ps, now: i64) -> String {
    let mut heading = vec!["CONTAINER ID", "IMAGE", "COMMAND", "CREATED", "STATUS", "PORTS", "NAMES"];
    if ps.size {
        heading.push("SIZE");
    }
    let mut table = Table::new(&heading);
    for one in containers {
        let command = if ps.no_trunc { one.command.clone() } else { words::ellipsis(&one.command, COMMAND) };
        let mut row = vec![
            words::id(&one.id, ps.no_trunc),
            image(one, ps.no_trunc),
            words::quote(&command),
            age::ago(one.created, now),
            one.status.clone(),
            ports(&one.ports),
            names(&one.names, ps.no_trunc),
        ];
        if ps.size {
            row.push(sizes(one));
        }
        table.row(row);
    }
    table.render()
}

/// The name asked for; an image that lost its name shows its id.
fn image(one: &ContainerSummary, whole: bool) -> String {
    match one.image.as_str() {
        "" => "<no image>".to_owned(),
        image if !whole && image == one.image_id => words::id(image, false),
        image => image.to_owned(),
    }
}

/// Names without their slash; links of other containers (`/other/alias`) only when `whole`.
fn names(names: &[String], whole: bool) -> String {
    let shown =
        names.iter().map(|name| name.trim_start_matches('/')).filter(|name| whole || !name.contains('/'));
    shown.collect::<Vec<_>>().join(",")
}

/// `0.0.0.0:8080->80/tcp, 443/tcp`.
fn ports(ports: &[Port]) -> String {
    let one = |port: &Port| match port.public_port {
        Some(public) => {
            let ip = if port.ip.contains(':') { format!("[{}]", port.ip) } else { port.ip.clone() };
            format!("{ip}:{public}->{}/{}", port.private_port, port.r#type)
        }
        None => format!("{}/{}", port.private_port, port.r#type),
    };
    ports.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn sizes(one: &ContainerSummary) -> String {
    let writable = size::short(one.size_rw.unwrap_or(0));
    match one.size_root_fs {
        Some(whole) if whole > 0 => format!("{writable} (virtual {})", size::short(whole)),
        _ => writable,
    }
}
