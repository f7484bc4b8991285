//! The lines of a pull, as Docker's clients read them: `pkg/jsonmessage` of moby.

use super::super::digest;
use super::super::manifest::Part;
use super::flight::Stage;
use serde::Serialize;
use std::sync::Mutex;

/// One message of the stream that answers `POST /images/create`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullEvent {
    /// What is said: `Pulling fs layer`, `Digest: sha256:…`.
    pub status: String,
    /// Numbers of a bar.
    #[serde(rename = "progressDetail", skip_serializing_if = "Option::is_none")]
    pub progress_detail: Option<ProgressDetail>,
    /// The bar as text, for clients that draw none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub progress: Option<String>,
    /// What it is said of: a layer's short digest, a tag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// Bytes done, of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ProgressDetail {
    /// Bytes so far.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<u64>,
    /// Bytes in all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
}

impl PullEvent {
    /// A line of its own.
    pub fn line(status: impl Into<String>) -> PullEvent {
        PullEvent { status: status.into(), progress_detail: None, progress: None, id: None }
    }

    /// A line about something.
    pub fn of(id: &str, status: impl Into<String>) -> PullEvent {
        PullEvent { id: Some(id.to_owned()), ..PullEvent::line(status) }
    }

    /// A step of a layer without numbers.
    pub(in crate::image) fn step(id: &str, status: &str) -> PullEvent {
        PullEvent { progress_detail: Some(ProgressDetail::default()), ..PullEvent::of(id, status) }
    }

    pub(crate) fn bar(id: &str, status: &str, current: u64, total: u64) -> PullEvent {
        let detail = ProgressDetail { current: Some(current), total: Some(total) };
        PullEvent {
            progress_detail: Some(detail),
            progress: Some(draw(current, total)),
            ..PullEvent::of(id, status)
        }
    }
}

/// Docker's bar: `[=====>    ]  1.2MB/3.4MB`.
fn draw(current: u64, total: u64) -> String {
    let done = usize::try_from((current * 50).checked_div(total).unwrap_or(50)).unwrap_or(50).min(50);
    format!("[{}>{}] {:>8}/{}", "=".repeat(done), " ".repeat(50 - done), human(current), human(total))
}

/// Docker's sizes: decimal units, four significant digits at most.
fn human(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "kB", "MB", "GB", "TB"];
    let mut value = bytes as f64;
    let mut unit = 0;
    while value >= 1000.0 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    let digits = match value {
        value if unit == 0 || value >= 1000.0 => 0,
        value if value >= 100.0 => 1,
        value if value >= 10.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text}{}", UNITS[unit])
}

/// Says of one layer what has not been said yet: stages may be skipped by who watches, lines not.
pub(super) struct LayerLines<'a> {
    id: String,
    progress: &'a (dyn Fn(PullEvent) + Send + Sync),
    said: Mutex<u8>,
}

impl<'a> LayerLines<'a> {
    pub fn new(part: &Part, progress: &'a (dyn Fn(PullEvent) + Send + Sync)) -> LayerLines<'a> {
        LayerLines { id: digest::short(&part.digest).to_owned(), progress, said: Mutex::new(0) }
    }

    pub fn announce(&self) {
        (self.progress)(PullEvent::step(&self.id, "Pulling fs layer"));
    }

    pub fn exists(&self) {
        (self.progress)(PullEvent::step(&self.id, "Already exists"));
    }

    pub fn show(&self, stage: &Stage) {
        match stage {
            Stage::Begun => {}
            Stage::Waiting => self.once(1, "Waiting"),
            Stage::Downloading { current, total } => {
                (self.progress)(PullEvent::bar(&self.id, "Downloading", *current, *total));
            }
            Stage::Downloaded => self.downloaded(),
            Stage::Extracting { current, total } => {
                self.downloaded();
                (self.progress)(PullEvent::bar(&self.id, "Extracting", *current, *total));
            }
            Stage::Ended(Ok(_)) => {
                self.downloaded();
                self.once(4, "Pull complete");
            }
            Stage::Ended(Err(_)) => {}
        }
    }

    fn downloaded(&self) {
        self.once(2, "Verifying Checksum");
        self.once(3, "Download complete");
    }

    fn once(&self, rank: u8, status: &str) {
        let mut said = self.said.lock().unwrap_or_else(|poison| poison.into_inner());
        if *said < rank {
            *said = rank;
            (self.progress)(PullEvent::step(&self.id, status));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_shaped_like_dockers() {
        let json = |event| serde_json::to_string(&event).expect("plain data");
        assert_eq!(
            json(PullEvent::step("4abcf2066143", "Pulling fs layer")),
            r#"{"status":"Pulling fs layer","progressDetail":{},"id":"4abcf2066143"}"#
        );
        let bar = PullEvent::bar("4abcf2066143", "Downloading", 512, 1024);
        assert_eq!(bar.progress_detail, Some(ProgressDetail { current: Some(512), total: Some(1024) }));
        assert_eq!(
            bar.progress.as_deref(),
            Some("[=========================>                         ]     512B/1.024kB")
        );
        assert_eq!(json(PullEvent::line("Digest: x")), r#"{"status":"Digest: x"}"#);
    }

    #[test]
    fn sizes_read_like_dockers() {
        for (bytes, text) in
            [(0, "0B"), (999, "999B"), (1500, "1.5kB"), (3_408_000, "3.408MB"), (12_345_678, "12.35MB")]
        {
            assert_eq!(human(bytes), text);
        }
    }
}
