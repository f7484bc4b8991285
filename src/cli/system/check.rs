//! `learn system check`: is the image store still what its record says?

use super::args::Check;
use crate::cli::{Context, Failure, output};
use crate::text::ui;
use crate::wire::StoreFinding;

/// Paths of a layer that are named.
const NAMED: usize = 3;

/// Checks, mends with `--repair`, and ends with 1 when something stays amiss.
pub async fn check(context: &Context, args: Check) -> Result<(), Failure> {
    let report = context.client.check_store(args.repair).await?;
    let lang = context.lang;
    for finding in &report.findings {
        let what = ui(lang, &format!("check.{}", finding.damage), &[("object", &object(finding))]);
        let end = match (finding.mended, args.repair) {
            (true, _) => ui(lang, "check.mended", &[]),
            (false, true) => ui(lang, "check.held", &[]),
            (false, false) => String::new(),
        };
        output::line(format!("{what} {end}").trim_end())?;
    }
    let counted: [(&str, &dyn std::fmt::Display); 2] = [("layers", &report.layers), ("blobs", &report.blobs)];
    let left = report.findings.iter().filter(|finding| !finding.mended).count();
    if left == 0 {
        return output::line(&ui(lang, "check.sound", &counted));
    }
    if !args.repair {
        output::error_line(&ui(lang, "check.advice", &[]))?;
    }
    Err(Failure::Exited(1))
}

fn object(finding: &StoreFinding) -> String {
    if finding.paths.is_empty() {
        return finding.object.clone();
    }
    let more = if finding.paths.len() > NAMED { ", …" } else { "" };
    let paths = finding.paths.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", ");
    format!("{} ({paths}{more})", finding.object)
}
