//! `learn history`: the steps an image was made in.

use super::args::History;
use crate::cli::format::{age, rows, size, words};
use crate::cli::{Context, Failure, output};
use crate::wire::HistoryItem;

/// Characters of a command that are shown, the `…` among them.
const COMMAND: usize = 45;

/// Lists the steps, newest first.
pub async fn history(context: &Context, args: History) -> Result<(), Failure> {
    let items = context.client.image_history(&args.image).await?;
    output::text(&match args.quiet {
        true => items.iter().map(|item| words::id(&item.id, args.no_trunc) + "\n").collect(),
        false => table(&items, &args, age::now()),
    })
}

fn table(items: &[HistoryItem], args: &History, now: i64) -> String {
    let created = if args.human { "CREATED" } else { "CREATED AT" };
    let row = |item: &HistoryItem| {
        vec![
            words::id(&item.id, args.no_trunc),
            when(item.created, args.human, now),
            command(&item.created_by, args.no_trunc),
            if args.human { size::short(item.size) } else { item.size.to_string() },
            item.comment.clone(),
        ]
    };
    rows::render(&["IMAGE", created, "CREATED BY", "SIZE", "COMMENT"], items.iter().map(row))
}

fn when(created: i64, human: bool, now: i64) -> String {
    match (created, human) {
        // Reproducible images carry no date.
        (..=0, true) => "N/A".to_owned(),
        (created, true) => age::ago(created, now),
        (created, false) => jiff::Timestamp::from_second(created)
            .map(|moment| moment.to_zoned(jiff::tz::TimeZone::system()))
            .map(|moment| {
                let offset = if moment.offset().is_zero() { "Z" } else { "%:z" };
                moment.strftime(&format!("%Y-%m-%dT%H:%M:%S{offset}")).to_string()
            })
            .unwrap_or_default(),
    }
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
        assert_eq!(when(0, true, 5), "N/A");
    }
}
