//! Lines on their way to the learner: indentation, wrapping, and blocks.
//!
//! Work that runs side by side (the layers of a pull) would braid its lines. Each such scope is a
//! block: the first open block is written live, later ones are kept back and written whole, in
//! the order they were opened.

use super::paint::{Paint, Tone};
use crate::text;
use std::collections::VecDeque;
use std::io::Write;

/// Where lines go.
pub struct Page {
    out: Box<dyn Write + Send>,
    paint: Paint,
    width: usize,
    blocks: VecDeque<Block>,
    /// The last line written was blank, or nothing was written yet.
    fresh: bool,
}

struct Block {
    /// The scope that owns it; `None` for lines of enclosing scopes caught in between.
    owner: Option<u32>,
    lines: Vec<String>,
    closed: bool,
}

impl Page {
    /// A page of `width` columns.
    pub fn new(out: Box<dyn Write + Send>, paint: Paint, width: usize) -> Page {
        Page { out, paint, width, blocks: VecDeque::new(), fresh: true }
    }

    /// Begins a block for a scope that runs beside others.
    pub fn open_block(&mut self, owner: u32) {
        self.blocks.push_back(Block { owner: Some(owner), lines: Vec::new(), closed: false });
    }

    /// Ends a block; what waited behind it is written as far as it may.
    pub fn close_block(&mut self, owner: u32) {
        if let Some(block) = self.blocks.iter_mut().find(|block| block.owner == Some(owner)) {
            block.closed = true;
        }
        self.write_blocks();
    }

    /// Writes everything kept back, closed or not, and flushes.
    pub fn finish(&mut self) {
        for block in &mut self.blocks {
            block.closed = true;
        }
        self.write_blocks();
        self.flush();
    }

    /// Hands on what was written.
    pub fn flush(&mut self) {
        // The learner's terminal may be gone; the work is not concerned.
        let _ = self.out.flush();
    }

    /// A heading: a title and what it is about, on one line when it fits.
    pub fn heading(&mut self, block: Option<u32>, indent: usize, mark: &str, title: &str, about: &str) {
        let lead = format!("{}{mark}", " ".repeat(indent));
        let room = self.width.saturating_sub(text::width(&lead));
        let paint = self.paint;
        if about.is_empty() || text::width(title) + text::width(about) + 3 > room {
            self.paragraph(block, indent, mark, Tone::Title, title);
            if !about.is_empty() {
                self.paragraph(block, indent + text::width(mark), "", Tone::Quiet, about);
            }
            return;
        }
        let about = paint.tone(Tone::Quiet, &format!(" · {about}"));
        self.push(block, format!("{lead}{}{about}", paint.tone(Tone::Title, title)));
    }

    /// A wrapped paragraph; `mark` stands before its first line and the rest hangs below it.
    pub fn paragraph(&mut self, block: Option<u32>, indent: usize, mark: &str, tone: Tone, body: &str) {
        let hang = indent + text::width(mark);
        for (index, line) in text::wrap(body, self.width.saturating_sub(hang)).iter().enumerate() {
            let lead = match index {
                0 => format!("{}{mark}", " ".repeat(indent)),
                _ => " ".repeat(hang),
            };
            let line = format!("{lead}{}", self.paint.tone(tone, line));
            self.push(block, line);
        }
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.width
    }

    /// A line that is laid out already.
    pub fn line(&mut self, block: Option<u32>, indent: usize, tone: Tone, line: &str) {
        let line = format!("{}{}", " ".repeat(indent), self.paint.tone(tone, line));
        self.push(block, line);
    }

    /// A value behind its label; below it where both do not fit on a line.
    pub fn row(&mut self, block: Option<u32>, indent: usize, label: &str, value: &str) {
        if indent + text::width(label) + 2 + text::width(value) <= self.width {
            return self.paragraph(block, indent, &format!("{label}  "), Tone::Quiet, value);
        }
        self.paragraph(block, indent, "", Tone::Quiet, label.trim_end());
        self.paragraph(block, indent + 2, "", Tone::Quiet, value);
    }

    /// A command line, never wrapped: a learner copies it.
    pub fn command(&mut self, block: Option<u32>, indent: usize, mark: &str, command: &str) {
        let lead = format!("{}{mark}", " ".repeat(indent));
        self.push(block, format!("{lead}{}", self.paint.tone(Tone::Command, command)));
    }

    /// A line of another program's output, as it is.
    pub fn verbatim(&mut self, line: &str) {
        self.push(None, line.to_owned());
    }

    /// A blank line, never two in a row.
    pub fn breathe(&mut self, block: Option<u32>) {
        self.push(block, String::new());
    }

    fn push(&mut self, owner: Option<u32>, line: String) {
        if self.blocks.is_empty() {
            self.write(&line);
            return;
        }
        let own = self.blocks.iter_mut().find(|block| owner.is_some() && block.owner == owner);
        match own {
            Some(block) => block.lines.push(line),
            None => self.push_between(line),
        }
        self.write_blocks();
    }

    /// A line of an enclosing scope, while blocks are open: it waits behind them.
    fn push_between(&mut self, line: String) {
        match self.blocks.back_mut() {
            Some(block) if block.owner.is_none() => block.lines.push(line),
            _ => self.blocks.push_back(Block { owner: None, lines: vec![line], closed: true }),
        }
    }

    fn write_blocks(&mut self) {
        while let Some(mut block) = self.blocks.pop_front() {
            for line in std::mem::take(&mut block.lines) {
                self.write(&line);
            }
            if !block.closed {
                self.blocks.push_front(block);
                return;
            }
        }
    }

    fn write(&mut self, line: &str) {
        if line.is_empty() && self.fresh {
            return;
        }
        self.fresh = line.is_empty();
        let _ = writeln!(self.out, "{}", line.trim_end());
    }
}
