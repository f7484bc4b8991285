//! Tokens to a tree, with the complaints of Go's text/template.

use super::lex::{Keyword, Kind, Token, lex};
use super::literal;
use super::node::{Branch, Command, Node, Part, Pipe};
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

type Parsed<T> = Result<T, String>;

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

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    /// The token last looked at: complaints carry its line.
    last: usize,
    variables: Vec<String>,
    ranges: usize,
    action_line: Option<usize>,
    is_function: fn(&str) -> bool,
    templates: Templates,
}

impl Parser {
    fn look(&mut self) -> Token {
        self.last = self.next.min(self.tokens.len() - 1);
        match self.tokens.get(self.next) {
            Some(token) => token.clone(),
            // Behind an error there is nothing.
            None => Token { kind: Kind::End, text: String::new(), ..self.tokens[self.last].clone() },
        }
    }

    fn take(&mut self) -> Token {
        let token = self.look();
        self.next += 1;
        token
    }

    fn skip_space(&mut self) {
        while self.look().kind == Kind::Space {
            self.next += 1;
        }
    }

    fn look_past_space(&mut self) -> Token {
        self.skip_space();
        self.look()
    }

    fn take_past_space(&mut self) -> Token {
        self.skip_space();
        self.take()
    }

    fn error<T>(&self, what: impl std::fmt::Display) -> Parsed<T> {
        Err(format!("template: :{}: {what}", self.tokens[self.last].line))
    }

    fn unexpected<T>(&self, token: &Token, context: &str) -> Parsed<T> {
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

    fn unquoted(&mut self, token: &Token) -> Parsed<String> {
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

    fn pipe(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
        let at = self.look_past_space().at;
        let mut pipe = Pipe { at, assigns: false, variables: Vec::new(), commands: Vec::new() };
        self.declarations(context, &mut pipe)?;
        loop {
            let token = self.take_past_space();
            match token.kind {
                kind if kind == end => break,
                Kind::Bool
                | Kind::Character
                | Kind::Dot
                | Kind::Field
                | Kind::Identifier
                | Kind::Number
                | Kind::Keyword(Keyword::Nil)
                | Kind::RawQuoted
                | Kind::Quoted
                | Kind::Variable
                | Kind::LeftParen => {
                    self.next -= 1;
                    let command = self.command()?;
                    pipe.commands.push(command);
                }
                _ => return self.unexpected(&token, context),
            }
        }
        if pipe.commands.is_empty() {
            return self.error(format!("missing value for {context}"));
        }
        for (stage, command) in pipe.commands.iter().enumerate().skip(1) {
            if matches!(
                command.words[0],
                Node::Bool(..) | Node::Dot(_) | Node::Nil(_) | Node::Number(..) | Node::Text(..)
            ) {
                return self.error(format!("non executable command in pipeline stage {}", stage + 1));
            }
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =` and, for a range, `$i, $x :=`.
    fn declarations(&mut self, context: &str, pipe: &mut Pipe) -> Parsed<()> {
        loop {
            let variable = self.look_past_space();
            if variable.kind != Kind::Variable {
                return Ok(());
            }
            let start = self.next;
            self.next += 1;
            let sign = self.look_past_space();
            match sign.kind {
                Kind::Assign | Kind::Declare => {
                    pipe.assigns = sign.kind == Kind::Assign;
                    self.next += 1;
                    self.variables.push(variable.text.clone());
                    pipe.variables.push(variable.text);
                    return Ok(());
                }
                Kind::Char if sign.text == "," => {
                    self.next += 1;
                    self.variables.push(variable.text.clone());
                    pipe.variables.push(variable.text);
                    if context == "range" && pipe.variables.len() < 2 {
                        let next = self.look_past_space().kind;
                        if matches!(next, Kind::Variable | Kind::RightDelimiter | Kind::RightParen) {
                            continue;
                        }
                        return self.error("range can only initialize variables");
                    }
                    return self.error(format!("too many declarations in {context}"));
                }
                _ => {
                    self.next = start;
                    return Ok(());
                }
            }
        }
    }

    fn command(&mut self) -> Parsed<Command> {
        let mut words = Vec::new();
        loop {
            self.skip_space();
            words.extend(self.operand()?);
            let token = self.take();
            match token.kind {
                Kind::Space => {}
                Kind::RightDelimiter | Kind::RightParen => {
                    self.next -= 1;
                    break;
                }
                Kind::Pipe => break,
                _ => return self.unexpected(&token, "operand"),
            }
        }
        if words.is_empty() { self.error("empty command") } else { Ok(Command { words }) }
    }

    /// A term and the fields behind it.
    fn operand(&mut self) -> Parsed<Option<Node>> {
        let Some(node) = self.term()? else { return Ok(None) };
        let at = self.look().at;
        let mut fields = Vec::new();
        while self.look().kind == Kind::Field {
            fields.push(self.take().text[1..].to_owned());
        }
        if fields.is_empty() {
            return Ok(Some(node));
        }
        Ok(Some(match node {
            Node::Field(_, mut names) => {
                names.extend(fields);
                Node::Field(at, names)
            }
            Node::Variable(_, mut names) => {
                names.extend(fields);
                Node::Variable(at, names)
            }
            Node::Bool(..) | Node::Text(..) | Node::Number(..) | Node::Nil(_) | Node::Dot(_) => {
                let term = super::print::quote(&node.to_string());
                return self.error(format!("unexpected . after term {term}"));
            }
            node => Node::Chain(at, Box::new(node), fields),
        }))
    }

    fn term(&mut self) -> Parsed<Option<Node>> {
        let token = self.take_past_space();
        let at = token.at;
        Ok(Some(match token.kind {
            Kind::Identifier if !(self.is_function)(&token.text) => {
                return self.error(format!("function {} not defined", super::print::quote(&token.text)));
            }
            Kind::Identifier => Node::Identifier(at, token.text),
            Kind::Dot => Node::Dot(at),
            Kind::Keyword(Keyword::Nil) => Node::Nil(at),
            Kind::Variable if !self.variables.contains(&token.text) => {
                return self.error(format!("undefined variable {}", super::print::quote(&token.text)));
            }
            Kind::Variable => Node::Variable(at, vec![token.text]),
            Kind::Field => Node::Field(at, vec![token.text[1..].to_owned()]),
            Kind::Bool => Node::Bool(at, token.text == "true"),
            Kind::Character | Kind::Number => match literal::number(&token.text) {
                Ok(number) => Node::Number(at, number, token.text),
                Err(problem) => return self.error(problem),
            },
            Kind::LeftParen => Node::Pipe(self.pipe("parenthesized pipeline", Kind::RightParen)?),
            Kind::Quoted | Kind::RawQuoted => Node::Text(at, self.unquoted(&token)?, token.text),
            _ => {
                self.next -= 1;
                return Ok(None);
            }
        }))
    }
}
