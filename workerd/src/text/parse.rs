//! A file's constants, as expressions.

use std::collections::HashMap;

use super::lexer::{Spanned, Token, Wrong};

/// How deep expressions may be nested.
const DEPTH: usize = 64;

/// An expression and the offset it begins at.
#[derive(Debug, Clone)]
pub(super) struct Expr {
    pub(super) at: usize,
    pub(super) kind: ExprKind,
}

#[derive(Debug, Clone)]
pub(super) enum ExprKind {
    Text(Vec<u8>),
    Number(u64),
    List(Vec<Expr>),
    Struct(Vec<(String, usize, Expr)>),
    /// The content of a file.
    Embed(String),
    /// A word of its own: an enumerant, `true`, `void`, or a constant.
    Word(String),
    /// `.name`, `File.name`, `import "file".name`: a constant.
    Path(Root, Vec<String>),
}

#[derive(Debug, Clone)]
pub(super) enum Root {
    /// The file itself.
    Here,
    /// A name that `using` gave.
    Named(String),
    Import(String),
}

/// What a file declares that a configuration can use.
#[derive(Debug, Default)]
pub(super) struct Declarations {
    pub(super) constants: HashMap<String, Constant>,
    /// In their order, to choose one from.
    pub(super) names: Vec<String>,
    /// `using Name = import "file"`.
    pub(super) aliases: HashMap<String, String>,
}

#[derive(Debug)]
pub(super) struct Constant {
    /// Whether its type is called `Config`.
    pub(super) is_config: bool,
    pub(super) value: Expr,
}

pub(super) struct Parser {
    tokens: Vec<Spanned>,
    next: usize,
    /// The offset of the file's end.
    end: usize,
    depth: usize,
}

impl Parser {
    pub(super) fn new(tokens: Vec<Spanned>, end: usize) -> Self {
        Self {
            tokens,
            next: 0,
            end,
            depth: 0,
        }
    }

    pub(super) fn declarations(mut self) -> Result<Declarations, Wrong> {
        let mut found = Declarations::default();
        while let Some(token) = self.peek().cloned() {
            match token {
                Token::Word(word) if word == "const" => self.constant(&mut found)?,
                Token::Word(word) if word == "using" => self.using(&mut found)?,
                // File ids, annotations and types of the file's own.
                _ => self.skip_statement()?,
            }
        }
        Ok(found)
    }

    fn constant(&mut self, found: &mut Declarations) -> Result<(), Wrong> {
        self.next += 1;
        let at = self.at();
        let name = self.word("a name")?;
        if self.take('@') {
            self.next += 1;
        }
        self.want(':')?;
        let mut last = String::new();
        while !self.take('=') {
            match self.advance("a type")? {
                Token::Word(word) => last = word,
                Token::Mark(';') => return Err((at, format!("{name} has no value"))),
                _ => {}
            }
        }
        let value = self.expr()?;
        while !self.take(';') {
            // Annotations.
            self.advance("\";\"")?;
        }
        let constant = Constant {
            is_config: last == "Config",
            value,
        };
        if found.constants.insert(name.clone(), constant).is_some() {
            return Err((at, format!("{name} is declared twice")));
        }
        found.names.push(name);
        Ok(())
    }

    fn using(&mut self, found: &mut Declarations) -> Result<(), Wrong> {
        self.next += 1;
        let name = match self.peek() {
            Some(Token::Word(word)) if word == "import" => None,
            _ => {
                let name = self.word("a name")?;
                self.take('=').then_some(name)
            }
        };
        if matches!(self.peek(), Some(Token::Word(word)) if word == "import") {
            self.next += 1;
            let file = self.text()?;
            // A type of a file is nothing a value can come from.
            let whole = matches!(self.peek(), Some(Token::Mark(';')));
            if let (Some(name), true) = (name, whole) {
                found.aliases.insert(name, file);
            }
        }
        self.skip_statement()
    }

    /// Skips to the end of a statement or block.
    fn skip_statement(&mut self) -> Result<(), Wrong> {
        let mut open = 0usize;
        loop {
            match self.advance("\";\"")? {
                Token::Mark('{' | '(' | '[') => open += 1,
                Token::Mark('}') if open <= 1 => return Ok(()),
                Token::Mark('}' | ')' | ']') => open = open.saturating_sub(1),
                Token::Mark(';') if open == 0 => return Ok(()),
                _ => {}
            }
        }
    }

    fn expr(&mut self) -> Result<Expr, Wrong> {
        let at = self.at();
        if self.depth == DEPTH {
            return Err((at, "this is nested too deeply".into()));
        }
        self.depth += 1;
        let kind = match self.advance("a value")? {
            Token::Text(mut text) => {
                // Texts in a row are one.
                while let Some(Token::Text(more)) = self.peek() {
                    text.extend_from_slice(more);
                    self.next += 1;
                }
                ExprKind::Text(text)
            }
            Token::Number(number) => ExprKind::Number(number),
            Token::Mark('[') => ExprKind::List(self.items(']', Self::expr)?),
            Token::Mark('(') => ExprKind::Struct(self.items(')', Self::field)?),
            Token::Mark('.') => {
                let mut path = vec![self.word("a name")?];
                path.extend(self.rest_of_path()?);
                ExprKind::Path(Root::Here, path)
            }
            Token::Word(word) if word == "embed" => ExprKind::Embed(self.text()?),
            Token::Word(word) if word == "import" => {
                let file = self.text()?;
                ExprKind::Path(Root::Import(file), self.rest_of_path()?)
            }
            Token::Word(word) => {
                let path = self.rest_of_path()?;
                if path.is_empty() {
                    ExprKind::Word(word)
                } else {
                    ExprKind::Path(Root::Named(word), path)
                }
            }
            Token::Mark(mark) => {
                return Err((at, format!("a value is expected here, not {mark:?}")));
            }
        };
        self.depth -= 1;
        Ok(Expr { at, kind })
    }

    fn rest_of_path(&mut self) -> Result<Vec<String>, Wrong> {
        let mut path = Vec::new();
        while self.take('.') {
            path.push(self.word("a name")?);
        }
        Ok(path)
    }

    fn field(&mut self) -> Result<(String, usize, Expr), Wrong> {
        let at = self.at();
        let name = self.word("a field's name")?;
        self.want('=')?;
        Ok((name, at, self.expr()?))
    }

    fn items<T>(
        &mut self,
        close: char,
        item: impl Fn(&mut Self) -> Result<T, Wrong>,
    ) -> Result<Vec<T>, Wrong> {
        let mut items = Vec::new();
        while !self.take(close) {
            items.push(item(self)?);
            if !self.take(',') {
                self.want(close)?;
                break;
            }
        }
        Ok(items)
    }

    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(token, _)| token)
    }

    fn at(&self) -> usize {
        self.tokens.get(self.next).map_or(self.end, |(_, at)| *at)
    }

    fn advance(&mut self, wanted: &str) -> Result<Token, Wrong> {
        let token = self.peek().cloned().ok_or_else(|| {
            (
                self.end,
                format!("the file ends where {wanted} is expected"),
            )
        })?;
        self.next += 1;
        Ok(token)
    }

    fn take(&mut self, mark: char) -> bool {
        let found = self.peek() == Some(&Token::Mark(mark));
        self.next += usize::from(found);
        found
    }

    fn want(&mut self, mark: char) -> Result<(), Wrong> {
        if self.take(mark) {
            return Ok(());
        }
        Err((self.at(), format!("\"{mark}\" is expected here")))
    }

    fn word(&mut self, wanted: &str) -> Result<String, Wrong> {
        let at = self.at();
        match self.advance(wanted)? {
            Token::Word(word) => Ok(word),
            _ => Err((at, format!("{wanted} is expected here"))),
        }
    }

    fn text(&mut self) -> Result<String, Wrong> {
        let at = self.at();
        match self.advance("a file's name")? {
            Token::Text(text) => {
                String::from_utf8(text).map_err(|_| (at, "a file's name is UTF-8".into()))
            }
            _ => Err((at, "a file's name is expected here".into())),
        }
    }
}
