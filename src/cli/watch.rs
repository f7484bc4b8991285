//! `learn watch`: every request of any client, told as it happens.

use super::render::{Narrator, Options, Paint, Shared, Tone};
use crate::text;
use crate::trace::{Event, Sighting, TraceInfo};
use futures_util::{Stream, StreamExt};
use std::collections::HashMap;
use std::io::Write;

/// Narrators kept; of more traces than that the idle ones start afresh.
const NARRATORS: usize = 64;

/// Tells several traces at once. A header says whose lines follow, whenever that changes.
pub struct Watch {
    options: Options,
    out: Box<dyn Write + Send>,
    told: Shared,
    narrators: HashMap<String, Narrator>,
    last: Option<String>,
}

impl Watch {
    /// A watch that writes to `out`.
    pub fn new(options: Options, out: Box<dyn Write + Send>) -> Watch {
        Watch { options, out, told: Shared::default(), narrators: HashMap::new(), last: None }
    }

    /// Tells one record of one trace.
    pub fn sighting(&mut self, sighting: &Sighting) {
        let info = &sighting.trace;
        if let Event::Missed { count } = sighting.record.event {
            return self.missed(info, count);
        }
        if self.narrators.len() >= NARRATORS && !self.narrators.contains_key(&info.id) {
            self.narrators.retain(|_, narrator| !narrator.is_idle());
        }
        let options = Options { simulated: info.simulated, ..self.options };
        let narrator = self
            .narrators
            .entry(info.id.clone())
            .or_insert_with(|| Narrator::new(options, Box::new(self.told.clone())));
        narrator.record(&sighting.record);
        let lines = self.told.take();
        if !lines.is_empty() {
            self.header(info);
            // The spectator's terminal may be gone; the stream ends on its own.
            let _ = self.out.write_all(&lines).and_then(|()| self.out.flush());
        }
    }

    fn header(&mut self, info: &TraceInfo) {
        if self.last.as_deref() == Some(&info.id) {
            return;
        }
        let title = text::ui(self.options.lang, "trace.title", &[("id", &info.id), ("title", &info.title)]);
        let blank = if self.last.is_some() { "\n" } else { "" };
        let title = Paint(self.options.color).tone(Tone::Title, &format!("== {title} =="));
        let _ = writeln!(self.out, "{blank}{title}");
        self.last = Some(info.id.clone());
    }

    /// Records were lost between the daemon and this display; they may have been of any trace.
    fn missed(&mut self, info: &TraceInfo, count: u64) {
        let lang = self.options.lang;
        let words = match info.id.as_str() {
            "" => text::ui(lang, "trace.missed-some", &[("count", &count)]),
            id => text::ui(lang, "trace.missed", &[("count", &count), ("id", &id)]),
        };
        for line in text::wrap(&words, self.options.width) {
            let _ = writeln!(self.out, "{}", Paint(self.options.color).tone(Tone::Bad, &line));
        }
    }
}

/// Watches until the stream ends.
pub async fn watch(
    options: Options,
    sightings: impl Stream<Item = Sighting>,
    mut out: Box<dyn Write + Send>,
) {
    let _ = writeln!(out, "{}", text::ui(options.lang, "trace.watching", &[]));
    let mut watch = Watch::new(options, out);
    let mut sightings = std::pin::pin!(sightings);
    while let Some(sighting) = sightings.next().await {
        watch.sighting(&sighting);
    }
}
