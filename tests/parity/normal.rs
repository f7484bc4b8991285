//! What differs from run to run and may: ids, digests, generated names, times, ages, sizes.

use super::session::Way;
use super::table;
use regex::Regex;
use std::sync::LazyLock;

/// Patterns and what stands for them, in this order.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    let patterns = [
        // Moments: RFC 3339, and as Go prints them. Docker's zero time is a fact and stays.
        (r"\b2\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", "<time>"),
        (r"\b2\d{3}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d+)? [+-]\d{4} [A-Z]+", "<time>"),
        // What the machine's resolver says of a name without a network.
        (r"lookup (\S+?)( on \S+)?: .*", "lookup $1: <nobody>"),
        (r"sha256:[0-9a-f]{64}\b", "sha256:<digest>"),
        (r"sha256:[0-9a-f]{12}\b", "sha256:<id>"),
        (r"\b[0-9a-f]{64}\b", "<id64>"),
        (r"\b[0-9a-f]{12}\b", "<id>"),
        // Of a layer's states between first and last Docker drops those that nobody reads in time.
        (
            r"(?m)^<id>: (Waiting|Downloading|Verifying Checksum|Download complete|Extracting|Pushing)\b.*\n",
            "",
        ),
        (
            r"\b(Less than a second|About an? (minute|hour)|\d+ (seconds?|minutes?|hours?|days|weeks|months|years))\b",
            "<age>",
        ),
        // Nothing is a fact, all other sizes hang on what the machine has.
        (r"\b([1-9]\d*(\.\d+)?|0\.\d+)(B|kB|MB|GB|KiB|MiB|GiB)\b", "<size>"),
        // A name the engine made up, alone in a line or a cell.
        (r"(?m)^[a-z]{3,}_[a-z]{3,}\d?$", "<name>"),
        (r#""/[a-z]{3,}_[a-z]{3,}\d?""#, "\"/<name>\""),
        (r#"("(Pid|SandboxKey|EndpointID|NetworkID|SandboxID)": )("[^"]+"|[1-9]\d*)"#, "$1<own>"),
    ];
    patterns.map(|(pattern, stands)| (Regex::new(pattern).expect("a pattern"), stands)).to_vec()
});

/// `learn` names itself where Docker's client names itself; programs may speak of it elsewhere.
static OWN_NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?m)(^|'|Usage:  |unknown command: |command: ')learn\b").expect("a pattern")
});

/// `learn`'s advice, with the empty line that sets it off.
static ADVICE: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?m)(^\n)?^hint: .*\n").expect("a pattern"));

/// An answer's stream, so that two of them are equal when they mean the same.
pub fn text(way: Way, text: &str, own: &[(String, &str)]) -> String {
    let mut text = text.to_owned();
    for (value, stands) in own {
        text = text.replace(value, stands);
    }
    if way == Way::Learn {
        text = ADVICE.replace_all(&text, "").into_owned();
        text = OWN_NAME.replace_all(&text, "${1}docker").into_owned();
    }
    table::map(&text, words).unwrap_or_else(|| words(&text))
}

fn words(text: &str) -> String {
    PATTERNS
        .iter()
        .fold(text.to_owned(), |text, (pattern, stands)| pattern.replace_all(&text, *stands).into_owned())
}

#[test]
fn ids_times_ages_sizes_and_made_up_names_are_taken_out_and_facts_stay() {
    let id = "5c7086fe84cf5c7086fe84cf5c7086fe84cf5c7086fe84cf5c7086fe84cf5c70";
    let same = |given: &str, expected: &str| assert_eq!(text(Way::Docker, given, &[]), expected);
    same(&format!("{id}\n"), "<id64>\n");
    same("Up 3 seconds\n", "Up <age>\n");
    same("Total reclaimed space: 0B\n", "Total reclaimed space: 0B\n");
    same("Total reclaimed space: 1.5kB\n", "Total reclaimed space: <size>\n");
    same("zealous_germain\n", "<name>\n");
    same("2026-11-28T03:15:18.123Z 0001-01-01T00:00:00Z\n", "<time> 0001-01-01T00:00:00Z\n");
    same("exit 137\n", "exit 137\n");
    assert_eq!(text(Way::Learn, "learn: no\n\nhint: ask\n", &[]), "docker: no\n");
}
