//! What a learner reads: both languages whole, three depths, stepping, explanations, lessons.

mod explain;
mod lessons;
mod parity;
mod renders;
mod step;
#[path = "../support/trace.rs"]
mod trace;

use learn::cli::render::{Depth, Narrator, Options, Shared};
use learn::text::Lang;
use learn::trace::Record;

fn options(lang: Lang, depth: Depth) -> Options {
    Options { lang, depth, width: 80, color: false, simulated: false, stepping: false }
}

fn tell(options: Options, records: &[Record]) -> String {
    let out = Shared::default();
    let mut narrator = Narrator::new(options, Box::new(out.clone()));
    for record in records {
        narrator.record(record);
    }
    narrator.finish();
    String::from_utf8(out.take()).unwrap()
}
