//! Pipelines: what stands between the braces, to the last term.

use super::literal;
use super::node::{Command, Node, Pipe};
use super::parse::{Parsed, Parser};
use super::token::{Keyword, Kind};

impl Parser {
    pub fn pipe(&mut self, context: &str, end: Kind) -> Parsed<Pipe> {
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
