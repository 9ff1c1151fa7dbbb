//! What the bundler is told: switches, JSX and paths.

use std::path::{Path, PathBuf};

use super::values::is_entity_name;
use super::{Checker, Document};
use crate::JsxFactories;

pub(super) fn switch<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    name: &'static str,
    default: Switch,
) -> bool {
    let field = document.field(name);
    let given = field.and_then(|field| checker.boolean(&field));
    given.unwrap_or(default == Switch::On)
}

/// What a switch is when nobody touched it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
}

pub(super) fn jsx<'a>(checker: &mut Checker<'a>, document: &Document<'a>) -> JsxFactories {
    let mut name_of = |name| {
        let field = document.field(name)?;
        let text = checker.text(&field)?;
        let sound = is_entity_name(text);
        if !sound {
            checker.fault(
                &field,
                format!("expected a name such as \"h\" or \"React.createElement\", not \"{text}\""),
            );
        }
        sound.then(|| text.to_owned())
    };
    JsxFactories {
        factory: name_of("jsx_factory"),
        fragment: name_of("jsx_fragment"),
    }
}

/// What must be where a path leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Expect {
    File,
    Folder,
}

/// A path that must exist, made absolute.
pub(super) fn path<'a>(
    checker: &mut Checker<'a>,
    document: &Document<'a>,
    name: &'static str,
    root: &Path,
    expect: Expect,
) -> Option<PathBuf> {
    let field = document.field(name)?;
    let text = checker.text(&field)?;
    match existing(root, Path::new(text), expect) {
        Ok(path) => Some(path),
        Err(why) => {
            checker.fault(&field, why);
            None
        }
    }
}

/// Resolves a path against the root, with its symbolic links: the bundler
/// names modules by their real paths, and these must compare equal to them.
pub(super) fn existing(root: &Path, path: &Path, expect: Expect) -> Result<PathBuf, String> {
    let shown = path.display();
    if path.as_os_str().is_empty() {
        return Err("the path is empty".to_owned());
    }
    let found = std::fs::canonicalize(root.join(path)).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => format!("there is no \"{shown}\" in {}", root.display()),
        _ => format!("\"{shown}\" cannot be read: {error}"),
    })?;
    match expect {
        Expect::File if !found.is_file() => Err(format!("\"{shown}\" is not a file")),
        Expect::Folder if !found.is_dir() => Err(format!("\"{shown}\" is not a folder")),
        _ => Ok(found),
    }
}
