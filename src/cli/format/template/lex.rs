//! Text to tokens: the scanner of Go's text/template, rule for rule, so that its complaints and
//! their places are the same.

use super::token::{KEYWORDS, Kind, Token};

const LEFT: &str = "{{";
const RIGHT: &str = "}}";
const SPACES: [char; 4] = [' ', '\t', '\r', '\n'];
/// `- ` after a left delimiter, ` -` before a right one.
const TRIM_MARKER: usize = 2;

/// Splits a template. The last token is the end or an error.
pub fn lex(text: &str) -> Vec<Token> {
    let mut lexer = Lexer { text, at: 0, start: 0, line: 1, start_line: 1, parens: 0, tokens: Vec::new() };
    let mut state = Some(State::Text);
    while let Some(now) = state {
        state = match now {
            State::Text => lexer.text(),
            State::Left => lexer.left_delimiter(),
            State::Action => lexer.action(),
        };
    }
    lexer.tokens
}

#[derive(Clone, Copy)]
enum State {
    Text,
    Left,
    Action,
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    start: usize,
    line: usize,
    start_line: usize,
    parens: usize,
    tokens: Vec<Token>,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let char = self.peek()?;
        self.at += char.len_utf8();
        self.line += usize::from(char == '\n');
        Some(char)
    }

    fn accept(&mut self, valid: &str) -> bool {
        let found = self.peek().is_some_and(|char| valid.contains(char));
        if found {
            self.next();
        }
        found
    }

    fn accept_run(&mut self, valid: &str) {
        while self.accept(valid) {}
    }

    fn emit(&mut self, kind: Kind) -> Option<State> {
        let text = self.text[self.start..self.at].to_owned();
        self.tokens.push(Token { kind, at: self.start, text, line: self.start_line });
        self.ignore();
        Some(State::Action)
    }

    fn ignore(&mut self) {
        self.line = 1 + self.text[..self.at].matches('\n').count();
        self.start = self.at;
        self.start_line = self.line;
    }

    fn error(&mut self, text: String) -> Option<State> {
        self.tokens.push(Token { kind: Kind::Error, at: self.start, text, line: self.start_line });
        None
    }

    fn end(&mut self) -> Option<State> {
        self.emit(Kind::End);
        None
    }

    /// Up to the next action; a trim marker there takes white space away.
    fn text(&mut self) -> Option<State> {
        let Some(length) = self.rest().find(LEFT) else {
            self.at = self.text.len();
            if self.at > self.start {
                self.emit(Kind::Text);
            }
            return self.end();
        };
        let end = self.at + length;
        let shown = match trims_left(&self.text[end + LEFT.len()..]) {
            true => self.text[self.start..end].trim_end_matches(SPACES).len(),
            false => length,
        };
        self.at = self.start + shown;
        if shown > 0 {
            self.emit(Kind::Text);
        }
        self.at = end;
        self.ignore();
        Some(State::Left)
    }

    fn left_delimiter(&mut self) -> Option<State> {
        self.at += LEFT.len();
        let marker = if trims_left(self.rest()) { TRIM_MARKER } else { 0 };
        if self.text[self.at + marker..].starts_with("/*") {
            self.at += marker;
            self.ignore();
            return self.comment();
        }
        self.emit(Kind::LeftDelimiter);
        self.at += marker;
        self.ignore();
        self.parens = 0;
        Some(State::Action)
    }

    fn comment(&mut self) -> Option<State> {
        let Some(length) = self.rest()[2..].find("*/") else {
            return self.error("unclosed comment".to_owned());
        };
        self.at += length + 4;
        match self.at_right() {
            None => self.error("comment ends before closing delimiter".to_owned()),
            Some(trim) => {
                self.skip_right(trim);
                Some(State::Text)
            }
        }
    }

    /// Whether an action ends here; with `true`, and white space after it goes.
    fn at_right(&self) -> Option<bool> {
        if trims_right(self.rest()) && self.rest()[TRIM_MARKER..].starts_with(RIGHT) {
            return Some(true);
        }
        self.rest().starts_with(RIGHT).then_some(false)
    }

    fn skip_right(&mut self, trim: bool) {
        self.at += RIGHT.len() + if trim { TRIM_MARKER } else { 0 };
        if trim {
            self.at += self.rest().len() - self.rest().trim_start_matches(SPACES).len();
        }
        self.ignore();
    }

    fn right_delimiter(&mut self, trim: bool) -> Option<State> {
        if trim {
            self.at += TRIM_MARKER;
            self.ignore();
        }
        self.at += RIGHT.len();
        self.emit(Kind::RightDelimiter);
        if trim {
            self.at += self.rest().len() - self.rest().trim_start_matches(SPACES).len();
            self.ignore();
        }
        Some(State::Text)
    }

    fn action(&mut self) -> Option<State> {
        if let Some(trim) = self.at_right() {
            return match self.parens {
                0 => self.right_delimiter(trim),
                _ => self.error("unclosed left paren".to_owned()),
            };
        }
        let Some(char) = self.next() else { return self.error("unclosed action".to_owned()) };
        match char {
            ' ' | '\t' | '\r' | '\n' => self.space(),
            '=' => self.emit(Kind::Assign),
            ':' => match self.next() {
                Some('=') => self.emit(Kind::Declare),
                _ => self.error("expected :=".to_owned()),
            },
            '|' => self.emit(Kind::Pipe),
            '"' => self.quoted('"', Kind::Quoted, "unterminated quoted string"),
            '\'' => self.quoted('\'', Kind::Character, "unterminated character constant"),
            '`' => self.raw_quoted(),
            '$' => self.field(Kind::Variable, Kind::Variable),
            '.' if !self.peek().is_some_and(|next| next.is_ascii_digit()) => {
                self.field(Kind::Field, Kind::Dot)
            }
            '.' | '+' | '-' | '0'..='9' => self.number(),
            '(' => {
                self.parens += 1;
                self.emit(Kind::LeftParen)
            }
            ')' if self.parens == 0 => self.error("unexpected right paren".to_owned()),
            ')' => {
                self.parens -= 1;
                self.emit(Kind::RightParen)
            }
            char if is_word(char) => self.identifier(),
            char if char.is_ascii_graphic() => self.emit(Kind::Char),
            char => self.error(format!("unrecognized character in action: {}", code_point(char))),
        }
    }

    /// A run of spaces, but not the one that belongs to ` -}}`.
    fn space(&mut self) -> Option<State> {
        while self.peek().is_some_and(|char| SPACES.contains(&char)) {
            self.next();
        }
        let last = self.at - 1;
        if trims_right(&self.text[last..]) && self.text[last + TRIM_MARKER..].starts_with(RIGHT) {
            self.at = last;
            if self.at == self.start {
                return self.right_delimiter(true);
            }
        }
        self.emit(Kind::Space)
    }

    fn identifier(&mut self) -> Option<State> {
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        if let Some(bad) = self.not_terminated() {
            return self.error(bad);
        }
        let word = &self.text[self.start..self.at];
        let kind = match KEYWORDS.iter().find(|(name, _)| *name == word) {
            Some((_, keyword)) => Kind::Keyword(*keyword),
            None if matches!(word, "true" | "false") => Kind::Bool,
            None => Kind::Identifier,
        };
        self.emit(kind)
    }

    /// `.Name` or `$name`; alone it is `alone`.
    fn field(&mut self, named: Kind, alone: Kind) -> Option<State> {
        if self.not_terminated().is_none() {
            return self.emit(alone);
        }
        while self.peek().is_some_and(is_word) {
            self.next();
        }
        match self.not_terminated() {
            Some(bad) => self.error(bad),
            None => self.emit(named),
        }
    }

    /// The complaint about what follows a word, if it may not.
    fn not_terminated(&self) -> Option<String> {
        match self.peek() {
            None | Some('.' | ',' | '|' | ':' | ')' | '(') => None,
            Some(char) if SPACES.contains(&char) => None,
            Some(_) if self.rest().starts_with(RIGHT) => None,
            Some(char) => Some(format!("bad character {}", code_point(char))),
        }
    }

    fn quoted(&mut self, end: char, kind: Kind, unterminated: &str) -> Option<State> {
        loop {
            match self.next() {
                Some('\\') if !matches!(self.peek(), None | Some('\n')) => {
                    self.next();
                }
                Some('\\' | '\n') | None => return self.error(unterminated.to_owned()),
                Some(char) if char == end => return self.emit(kind),
                Some(_) => {}
            }
        }
    }

    fn raw_quoted(&mut self) -> Option<State> {
        loop {
            match self.next() {
                None => return self.error("unterminated raw quoted string".to_owned()),
                Some('`') => return self.emit(Kind::RawQuoted),
                Some(_) => {}
            }
        }
    }

    fn number(&mut self) -> Option<State> {
        self.at = self.start;
        self.accept("+-");
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        if self.accept(".") {
            self.accept_run(digits);
        }
        let exponent = if digits.len() == 11 { "eE" } else { "pP" };
        if self.accept(exponent) {
            self.accept("+-");
            self.accept_run("0123456789_");
        }
        if self.peek().is_some_and(is_word) {
            self.next();
            let text = super::print::quote(&self.text[self.start..self.at]);
            return self.error(format!("bad number syntax: {text}"));
        }
        self.emit(Kind::Number)
    }
}

fn trims_left(after: &str) -> bool {
    after.starts_with('-') && after[1..].starts_with(SPACES)
}

fn trims_right(before: &str) -> bool {
    before.starts_with(SPACES) && before[1..].starts_with('-')
}

fn is_word(char: char) -> bool {
    char == '_' || char.is_alphanumeric()
}

/// Go's `%#U`.
fn code_point(char: char) -> String {
    let code = format!("U+{:04X}", u32::from(char));
    if char.is_control() { code } else { format!("{code} '{char}'") }
}
