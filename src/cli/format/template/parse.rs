//! Tokens to a tree, with the complaints of Go's text/template.

use super::lex::lex;
use super::literal;
use super::node::{Branch, Part};
use super::token::{Keyword, Kind, Token};
use std::collections::BTreeMap;

/// A template and those it defines by name; its own name is empty.
pub type Templates = BTreeMap<String, Vec<Part>>;

/// Reads a template; `is_function` knows the names that may be called.
///
/// # Errors
/// `template: :LINE: what is wrong`.
pub fn parse(text: &str, is_function: fn(&str) -> bool) -> Result<Templates, String> {
    let tokens = lex(text);
    let mut parser = Parser {
        tokens,
        next: 0,
        last: 0,
        variables: vec!["$".to_owned()],
        ranges: 0,
        action_line: None,
        is_function,
        templates: Templates::new(),
    };
    let main = parser.main()?;
    parser.templates.insert(String::new(), main);
    Ok(parser.templates)
}

/// A part of the tree, or the complaint.
pub type Parsed<T> = Result<T, String>;

/// How a list of parts ended.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ending {
    End,
    Else,
}

impl Ending {
    fn text(self) -> &'static str {
        match self {
            Ending::End => "{{end}}",
            Ending::Else => "{{else}}",
        }
    }
}

enum Piece {
    Part(Part),
    Ending(Ending),
}

/// Where in the tokens the parser is, and what is known there.
pub struct Parser {
    tokens: Vec<Token>,
    pub next: usize,
    /// The token last looked at: complaints carry its line.
    last: usize,
    pub variables: Vec<String>,
    ranges: usize,
    action_line: Option<usize>,
    pub is_function: fn(&str) -> bool,
    templates: Templates,
}

impl Parser {
    pub fn look(&mut self) -> Token {
        self.last = self.next.min(self.tokens.len() - 1);
        match self.tokens.get(self.next) {
            Some(token) => token.clone(),
            // Behind an error there is nothing.
            None => Token { kind: Kind::End, text: String::new(), ..self.tokens[self.last].clone() },
        }
    }

    pub fn take(&mut self) -> Token {
        let token = self.look();
        self.next += 1;
        token
    }

    pub fn skip_space(&mut self) {
        while self.look().kind == Kind::Space {
            self.next += 1;
        }
    }

    pub fn look_past_space(&mut self) -> Token {
        self.skip_space();
        self.look()
    }

    pub fn take_past_space(&mut self) -> Token {
        self.skip_space();
        self.take()
    }

    pub fn error<T>(&self, what: impl std::fmt::Display) -> Parsed<T> {
        Err(format!("template: :{}: {what}", self.tokens[self.last].line))
    }

    pub fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
        let text = &token.text;
        let shown = match token.kind {
            Kind::Error => {
                let began = self.action_line.filter(|line| *line != token.line);
                let extra = match began {
                    None => String::new(),
                    Some(line) if text.ends_with(" action") => format!(" started at :{line}"),
                    Some(line) => format!(" in action started at :{line}"),
                };
                return self.error(format!("{text}{extra}"));
            }
            Kind::End => "EOF".to_owned(),
            Kind::Keyword(_) | Kind::Dot => format!("<{text}>"),
            _ if text.len() > 10 => {
                format!("{}...", super::print::quote(&text.chars().take(10).collect::<String>()))
            }
            _ => super::print::quote(text),
        };
        self.error(format!("unexpected {shown} in {context}"))
    }

    fn expect(&mut self, kind: Kind, context: &str) -> Parsed<Token> {
        let token = self.take_past_space();
        if token.kind == kind { Ok(token) } else { self.unexpected(&token, context) }
    }

    fn main(&mut self) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        while self.look().kind != Kind::End {
            if self.look().kind == Kind::LeftDelimiter {
                let start = self.next;
                self.next += 1;
                if self.take_past_space().kind == Kind::Keyword(Keyword::Define) {
                    self.definition()?;
                    continue;
                }
                self.next = start;
            }
            match self.piece()? {
                Piece::Part(part) => parts.push(part),
                Piece::Ending(ending) => return self.error(format!("unexpected {}", ending.text())),
            }
        }
        Ok(parts)
    }

    /// `{{define "name"}} … {{end}}`, after its keyword.
    fn definition(&mut self) -> Parsed<()> {
        let token = self.take_past_space();
        let name = self.template_name(&token, "define clause")?;
        self.expect(Kind::RightDelimiter, "define clause")?;
        let (parts, ending) = self.parts()?;
        if ending != Ending::End {
            return self.error(format!("unexpected {} in define clause", ending.text()));
        }
        self.templates.insert(name, parts);
        Ok(())
    }

    fn template_name(&mut self, token: &Token, context: &str) -> Parsed<String> {
        match token.kind {
            Kind::Quoted | Kind::RawQuoted => self.unquoted(token),
            _ => self.unexpected(token, context),
        }
    }

    pub fn unquoted(&mut self, token: &Token) -> Parsed<String> {
        match literal::unquote(&token.text) {
            Some(text) => Ok(text),
            None => self.error("invalid syntax"),
        }
    }

    /// Parts up to `{{else}}` or `{{end}}`.
    fn parts(&mut self) -> Parsed<(Vec<Part>, Ending)> {
        let mut parts = Vec::new();
        while self.look_past_space().kind != Kind::End {
            match self.piece()? {
                Piece::Part(part) => parts.push(part),
                Piece::Ending(ending) => return Ok((parts, ending)),
            }
        }
        self.error("unexpected EOF")
    }

    fn piece(&mut self) -> Parsed<Piece> {
        let token = self.take_past_space();
        match token.kind {
            Kind::Text => Ok(Piece::Part(Part::Text(token.text))),
            Kind::LeftDelimiter => {
                self.action_line = Some(token.line);
                let piece = self.action();
                self.action_line = None;
                piece
            }
            _ => self.unexpected(&token, "input"),
        }
    }

    fn action(&mut self) -> Parsed<Piece> {
        let token = self.look_past_space();
        let Kind::Keyword(keyword) = token.kind else {
            let pipe = self.pipe("command", Kind::RightDelimiter)?;
            return Ok(Piece::Part(Part::Action(token.at, pipe)));
        };
        self.next += 1;
        Ok(match keyword {
            Keyword::If => Piece::Part(Part::If(self.branch("if", Some(Keyword::If))?)),
            Keyword::With => Piece::Part(Part::With(self.branch("with", Some(Keyword::With))?)),
            Keyword::Range => Piece::Part(Part::Range(self.branch("range", None)?)),
            Keyword::End => {
                self.expect(Kind::RightDelimiter, "end")?;
                Piece::Ending(Ending::End)
            }
            Keyword::Else => {
                let next = self.look_past_space().kind;
                if !matches!(next, Kind::Keyword(Keyword::If | Keyword::With)) {
                    self.expect(Kind::RightDelimiter, "else")?;
                }
                Piece::Ending(Ending::Else)
            }
            Keyword::Break => Piece::Part(self.leap("{{break}}", Part::Break)?),
            Keyword::Continue => Piece::Part(self.leap("{{continue}}", Part::Continue)?),
            Keyword::Template => Piece::Part(self.template()?),
            Keyword::Block => Piece::Part(self.block()?),
            Keyword::Define | Keyword::Nil => {
                self.next -= 1;
                let pipe = self.pipe("command", Kind::RightDelimiter)?;
                Piece::Part(Part::Action(token.at, pipe))
            }
        })
    }

    fn leap(&mut self, name: &str, part: Part) -> Parsed<Part> {
        let token = self.take_past_space();
        if token.kind != Kind::RightDelimiter {
            return self.unexpected(&token, name);
        }
        match self.ranges {
            0 => self.error(format!("{name} outside {{{{range}}}}")),
            _ => Ok(part),
        }
    }

    /// `if`, `with` or `range` after its keyword, to its end; `chain` may follow an `else`.
    fn branch(&mut self, context: &str, chain: Option<Keyword>) -> Parsed<Branch> {
        let variables = self.variables.len();
        let pipe = self.pipe(context, Kind::RightDelimiter)?;
        let in_range = usize::from(context == "range");
        self.ranges += in_range;
        let (then, ending) = self.parts()?;
        self.ranges -= in_range;
        let mut otherwise = Vec::new();
        if ending == Ending::Else {
            let next = self.look().kind;
            if chain.is_some_and(|chain| next == Kind::Keyword(chain)) {
                self.next += 1;
                let below = self.branch(context, chain)?;
                otherwise.push(if context == "if" { Part::If(below) } else { Part::With(below) });
            } else {
                let (parts, ending) = self.parts()?;
                if ending != Ending::End {
                    return self.error(format!("expected end; found {}", ending.text()));
                }
                otherwise = parts;
            }
        }
        self.variables.truncate(variables);
        Ok(Branch { pipe, then, otherwise })
    }

    fn template(&mut self) -> Parsed<Part> {
        let token = self.take_past_space();
        let name = self.template_name(&token, "template clause")?;
        let mut pipe = None;
        if self.take_past_space().kind != Kind::RightDelimiter {
            self.next -= 1;
            pipe = Some(self.pipe("template clause", Kind::RightDelimiter)?);
        }
        Ok(Part::Template(token.at, name, pipe))
    }

    /// A definition and its use in one.
    fn block(&mut self) -> Parsed<Part> {
        let token = self.take_past_space();
        let name = self.template_name(&token, "block clause")?;
        let pipe = self.pipe("block clause", Kind::RightDelimiter)?;
        let outside = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let (parts, ending) = self.parts()?;
        if ending != Ending::End {
            return self.error(format!("unexpected {} in block clause", ending.text()));
        }
        self.variables = outside;
        self.templates.insert(name.clone(), parts);
        Ok(Part::Template(token.at, name, Some(pipe)))
    }
}
