//! The text format: a file of the schema language with a constant of type
//! `Config`.
//!
//! Read here and not by Cap'n Proto's `capnp` tool: the one that Debian 12 ships
//! does not take a text for a struct (`service = "name"`), which configurations
//! do everywhere, and a tool would be one more thing to install.

mod lexer;
mod parse;

use std::collections::HashMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use self::lexer::Wrong;
use self::parse::{Declarations, Expr, ExprKind, Parser, Root};
use crate::value::Value;

/// The schema itself, which every configuration imports.
const SCHEMA: &str = "/workerd/workerd.capnp";
/// Constants that may refer to one another in a chain.
const CHAIN: usize = 32;
/// Bytes a configuration may come to: constants that name others can multiply.
const MAX_BYTES: usize = 1 << 30;
/// What a value counts besides its bytes.
const VALUE_COST: usize = 64;

/// A place in a file, both from 1; the column in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

/// A file that says no configuration.
#[derive(Debug, thiserror::Error)]
pub enum TextError {
    #[error("{}: {source}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}:{line}:{column}: {message}", path.display())]
    At {
        path: PathBuf,
        line: usize,
        column: usize,
        message: String,
    },
    #[error("{}: no constant of type Config", path.display())]
    NoConfig { path: PathBuf },
    #[error("{}: several constants of type Config: name one of {}", path.display(), List(names))]
    Several { path: PathBuf, names: Vec<String> },
    #[error("{}: no constant of type Config is called {name:?}", path.display())]
    NotThere { path: PathBuf, name: String },
}

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// Evaluates the constant `name` of a file, or the only one of type `Config`.
pub(crate) fn read(
    path: &Path,
    name: Option<&str>,
    imports: &[PathBuf],
) -> Result<Value, TextError> {
    let mut files = Files {
        imports,
        parsed: HashMap::new(),
        bytes: 0,
    };
    let file = files.parse(path)?;
    let configs = file.declared.names.iter().filter(|name| {
        let constant = file.declared.constants.get(*name);
        constant.is_some_and(|constant| constant.is_config)
    });
    let path = path.to_path_buf();
    let name = match name {
        Some(name) => configs
            .into_iter()
            .find(|known| *known == name)
            .cloned()
            .ok_or(TextError::NotThere {
                path,
                name: name.to_string(),
            })?,
        None => match configs.cloned().collect::<Vec<_>>().as_slice() {
            [] => return Err(TextError::NoConfig { path }),
            [one] => one.clone(),
            names => {
                return Err(TextError::Several {
                    path,
                    names: names.to_vec(),
                });
            }
        },
    };
    files.constant(&file, 0, &[name], 0)
}

/// A file that was read.
struct File {
    path: PathBuf,
    source: String,
    declared: Declarations,
}

impl File {
    fn wrong(&self, (at, message): Wrong) -> TextError {
        let Place { line, column } = lexer::place(&self.source, at);
        TextError::At {
            path: self.path.clone(),
            line,
            column,
            message,
        }
    }
}

struct Files<'a> {
    /// Folders that absolute imports are looked for in.
    imports: &'a [PathBuf],
    parsed: HashMap<PathBuf, Rc<File>>,
    bytes: usize,
}

impl Files<'_> {
    fn parse(&mut self, path: &Path) -> Result<Rc<File>, TextError> {
        if let Some(file) = self.parsed.get(path) {
            return Ok(file.clone());
        }
        let source = fs::read(path)
            .and_then(|bytes| String::from_utf8(bytes).map_err(io::Error::other))
            .map_err(|source| TextError::Read {
                path: path.to_path_buf(),
                source,
            })?;
        let mut file = File {
            path: path.to_path_buf(),
            source,
            declared: Declarations::default(),
        };
        file.declared = lexer::tokens(&file.source)
            .and_then(|tokens| Parser::new(tokens, file.source.len()).declarations())
            .map_err(|wrong| file.wrong(wrong))?;
        let file = Rc::new(file);
        self.parsed.insert(path.to_path_buf(), file.clone());
        Ok(file)
    }

    /// The file that `name` means in `from`, a path beginning with `/` being one
    /// below an import folder.
    fn locate(&self, from: &File, at: usize, name: &str) -> Result<PathBuf, TextError> {
        let Some(below) = name.strip_prefix('/') else {
            let folder = from.path.parent().unwrap_or(Path::new(""));
            return Ok(folder.join(name));
        };
        self.imports
            .iter()
            .map(|folder| folder.join(below))
            .find(|path| path.is_file())
            .ok_or_else(|| from.wrong((at, format!("{name:?} is in no import path"))))
    }

    fn constant(
        &mut self,
        file: &Rc<File>,
        at: usize,
        path: &[String],
        chain: usize,
    ) -> Result<Value, TextError> {
        if chain == CHAIN {
            return Err(file.wrong((at, "constants refer to one another without end".into())));
        }
        let (name, fields) = path
            .split_first()
            .ok_or_else(|| file.wrong((at, "a file is no value: name a constant of it".into())))?;
        let constant = file
            .declared
            .constants
            .get(name)
            .ok_or_else(|| file.wrong((at, format!("no constant is called {name:?}"))))?;
        let mut value = self.evaluate(file, &constant.value, chain + 1)?;
        for field in fields {
            value = match value {
                Value::Struct(fields) => fields.into_iter().find(|(name, _)| name == field),
                _ => None,
            }
            .map(|(_, value)| value)
            .ok_or_else(|| file.wrong((at, format!("the constant has no field {field:?}"))))?;
        }
        Ok(value)
    }

    fn evaluate(&mut self, file: &Rc<File>, expr: &Expr, chain: usize) -> Result<Value, TextError> {
        self.count(file, expr.at, VALUE_COST)?;
        Ok(match &expr.kind {
            ExprKind::Number(number) => Value::Number(*number),
            ExprKind::Text(text) => {
                self.count(file, expr.at, text.len())?;
                Value::Bytes(text.clone())
            }
            ExprKind::List(items) => Value::List(
                items
                    .iter()
                    .map(|item| self.evaluate(file, item, chain))
                    .collect::<Result<_, _>>()?,
            ),
            ExprKind::Struct(fields) => {
                let mut values: Vec<(String, Value)> = Vec::with_capacity(fields.len());
                for (name, at, field) in fields {
                    if values.iter().any(|(known, _)| known == name) {
                        return Err(file.wrong((*at, format!("{name:?} is given twice"))));
                    }
                    values.push((name.clone(), self.evaluate(file, field, chain)?));
                }
                Value::Struct(values)
            }
            ExprKind::Embed(name) => {
                let path = self.locate(file, expr.at, name)?;
                let bytes = fs::read(&path)
                    .map_err(|error| file.wrong((expr.at, format!("embed {name:?}: {error}"))))?;
                self.count(file, expr.at, bytes.len())?;
                Value::Bytes(bytes)
            }
            ExprKind::Word(word) => match word.as_str() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "void" => Value::Void,
                _ if file.declared.constants.contains_key(word) => {
                    self.constant(file, expr.at, std::slice::from_ref(word), chain)?
                }
                _ => Value::Name(word.clone()),
            },
            ExprKind::Path(root, path) => {
                let source = match root {
                    Root::Here => None,
                    Root::Import(name) => Some(name),
                    Root::Named(name) => {
                        Some(file.declared.aliases.get(name).ok_or_else(|| {
                            file.wrong((expr.at, format!("{name:?} is no imported file")))
                        })?)
                    }
                };
                let Some(name) = source else {
                    return self.constant(file, expr.at, path, chain);
                };
                if name == SCHEMA {
                    return Err(file.wrong((expr.at, "the schema has no constants".into())));
                }
                let path_of_file = self.locate(file, expr.at, name)?;
                let imported = self.parse(&path_of_file)?;
                self.constant(&imported, 0, path, chain)?
            }
        })
    }

    fn count(&mut self, file: &File, at: usize, bytes: usize) -> Result<(), TextError> {
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > MAX_BYTES {
            let message = format!("the configuration is larger than {} MB", MAX_BYTES >> 20);
            return Err(file.wrong((at, message)));
        }
        Ok(())
    }
}
