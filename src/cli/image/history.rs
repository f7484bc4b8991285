//! `learn history`: the steps an image was made in.

use super::args::History;
use crate::cli::format::{List, age, column, size, words};
use crate::cli::{Context, Failure, output};
use crate::wire::HistoryItem;

/// Characters of a command that are shown, the `…` among them.
const COMMAND: usize = 45;

/// A step, and how it is to be shown.
struct Line {
    item: HistoryItem,
    human: bool,
    whole: bool,
    now: i64,
}

static HISTORY: List<Line> = List {
    type_name: "*formatter.historyContext",
    columns: &[
        column("Comment", "COMMENT", |line| line.item.comment.as_str().into()),
        column("CreatedAt", "CREATED AT", |line| moment(line.item.created).into()),
        column("CreatedBy", "CREATED BY", |line| command(&line.item.created_by, line.whole).into()),
        column("CreatedSince", "CREATED", |line| since(line).into()),
        column("ID", "IMAGE", |line| words::id(&line.item.id, line.whole).into()),
        column("Size", "SIZE", |line| bytes(line).into()),
    ],
    label: None,
};

/// Lists the steps, newest first.
pub async fn history(context: &Context, args: History) -> Result<(), Failure> {
    let items = context.client.image_history(&args.image).await?;
    let created = if args.human { "{{.CreatedSince}}" } else { "{{.CreatedAt}}" };
    let table =
        format!("table {{{{.ID}}}}\\t{created}\\t{{{{.CreatedBy}}}}\\t{{{{.Size}}}}\\t{{{{.Comment}}}}");
    let format = match args.format.as_str() {
        "" | "table" if args.quiet => "{{.ID}}",
        "" | "table" => &table,
        custom => custom,
    };
    let now = age::now();
    let line = |item| Line { item, human: args.human, whole: args.no_trunc, now };
    output::text(&HISTORY.write(format, items.into_iter().map(line).collect())?)
}

fn since(line: &Line) -> String {
    match (line.item.created, line.human) {
        (created, false) => moment(created),
        // Reproducible images carry no date.
        (..=0, true) => "N/A".to_owned(),
        (created, true) => age::ago(created, line.now),
    }
}

/// RFC 3339 in the caller's time zone.
fn moment(created: i64) -> String {
    let moment = jiff::Timestamp::from_second(created).unwrap_or_default();
    let moment = moment.to_zoned(jiff::tz::TimeZone::system());
    let offset = if moment.offset().is_zero() { "Z" } else { "%:z" };
    moment.strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}")).to_string()
}

fn bytes(line: &Line) -> String {
    if line.human { size::short(line.item.size) } else { line.item.size.to_string() }
}

fn command(text: &str, whole: bool) -> String {
    let text = text.replace('\t', " ");
    if whole { text } else { words::ellipsis(&text, COMMAND) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_command_is_cut_unless_it_is_not_to_be() {
        let text = format!("/bin/sh -c #(nop)\tCMD {}", "x".repeat(60));
        assert_eq!(command(&text, false).chars().count(), COMMAND);
        assert!(command(&text, true).starts_with("/bin/sh -c #(nop) CMD xxx"));
        let line = Line { item: HistoryItem::default(), human: true, whole: false, now: 5 };
        assert_eq!(since(&line), "N/A");
    }
}
