//! Reads the files of a folder and hands them to the checks.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use crate::check::{Checker, Document, Facts, project};
use crate::diagnostic::{Diagnostic, Lines, write_lines};
use crate::tree::{self, Format};
use crate::{Date, Project, Secret, dev_vars};

/// The configuration files, the preferred one first.
const NAMES: [(&str, Format); 3] = [
    ("wrangler.jsonc", Format::Jsonc),
    ("wrangler.json", Format::Jsonc),
    ("wrangler.toml", Format::Toml),
];

/// Hand-written files are a few kilobytes; one this large is another file.
const LARGEST: u64 = 1 << 20;

/// What to load, and how.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The environment to apply, as `wrangler --env` names it.
    pub environment: Option<String>,
    /// A configuration file to use instead of the folder's; relative to it.
    pub config: Option<PathBuf>,
    /// An entry file to use instead of `main`; relative to the folder.
    pub main: Option<PathBuf>,
    pub dev_vars: DevVars,
    /// No compatibility date may lie after it. The default is the clock's.
    pub today: Date,
}

/// Whether local secrets are wanted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DevVars {
    /// For a deployment, whose secrets are set elsewhere.
    #[default]
    Ignore,
    /// For local development: `.dev.vars.ENVIRONMENT` if there, or `.dev.vars`;
    /// where neither is there `.env`, `.env.ENVIRONMENT`, `.env.local` and
    /// `.env.ENVIRONMENT.local`, a later one's values over an earlier one's.
    Read,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            environment: None,
            config: None,
            main: None,
            dev_vars: DevVars::Ignore,
            today: Date::today(),
        }
    }
}

/// A project that may run, and what its developer should hear about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Loaded {
    pub project: Project,
    pub warnings: Vec<Diagnostic>,
    /// The files that were read: when one changes, load again.
    pub files: Vec<PathBuf>,
}

/// Every fault of a folder's configuration; never empty.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct LoadErrors {
    pub faults: Vec<Diagnostic>,
    /// What would have been warned of, had the project loaded.
    pub warnings: Vec<Diagnostic>,
    /// The files that were read: when one changes, load again.
    pub files: Vec<PathBuf>,
}

impl fmt::Display for LoadErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_lines(f, &self.faults)
    }
}

impl From<Diagnostic> for LoadErrors {
    fn from(fault: Diagnostic) -> Self {
        Self {
            faults: vec![fault],
            warnings: Vec::new(),
            files: Vec::new(),
        }
    }
}

/// Loads the project of a folder.
///
/// # Errors
/// With every fault found, in the order of the file where it has one.
pub fn load(dir: &Path, options: &LoadOptions) -> Result<Loaded, LoadErrors> {
    let dir = std::fs::canonicalize(dir)
        .map_err(|error| Diagnostic::new(format!("{} cannot be read: {error}", dir.display())))?;
    let source = Source::find(&dir, options.config.as_deref())?;
    let root = source.path.parent().unwrap_or(&dir);
    let shown = shown(&source.path, &dir);

    let mut warnings = source.shadowed_warnings(&dir);
    let parsed = tree::parse(&source.text, source.format);
    let mut checker = Checker::new(shown, &source.text);
    let mut loaded = None;
    match &parsed {
        Ok(tree) => {
            let environment = options.environment.as_deref();
            let facts = Facts {
                root,
                main: options.main.as_deref(),
                today: options.today,
            };
            if let Some(document) = Document::open(&mut checker, tree, environment) {
                loaded = project(&mut checker, &document, &facts);
            }
            warnings.append(&mut checker.warnings);
        }
        Err(faults) => {
            let lines = Lines::new(&source.text);
            checker.faults.extend(faults.iter().map(|fault| {
                Diagnostic::new(&fault.message)
                    .in_file(shown)
                    .at(Some(fault.position(&lines)))
            }));
        }
    }

    let mut faults = checker.faults;
    let mut files = vec![source.path.clone()];
    if options.dev_vars == DevVars::Read {
        match read_dev_vars(root, &dir, options.environment.as_deref()) {
            Ok(found) => {
                files.extend(found.files);
                if let Some(project) = &mut loaded {
                    project.secrets = found.secrets;
                }
            }
            Err(mut found) => faults.append(&mut found),
        }
        if let Some(project) = &loaded {
            warnings.extend(missing_secrets(project, shown));
        }
    }
    faults.sort_by(|a, b| (&a.file, a.position).cmp(&(&b.file, b.position)));
    match loaded {
        Some(project) if faults.is_empty() => Ok(Loaded {
            project,
            warnings,
            files,
        }),
        _ => Err(LoadErrors {
            faults,
            warnings,
            files,
        }),
    }
}

/// A configuration file, read.
struct Source {
    path: PathBuf,
    text: String,
    format: Format,
    /// Whether it was found by name, not given.
    by_name: bool,
}

impl Source {
    fn find(dir: &Path, given: Option<&Path>) -> Result<Self, LoadErrors> {
        if let Some(given) = given {
            let path = dir.join(given);
            let format = match path.extension().and_then(|extension| extension.to_str()) {
                Some("toml") => Format::Toml,
                Some("json" | "jsonc") => Format::Jsonc,
                _ => {
                    let message = "expected a file that ends in .jsonc, .json or .toml";
                    return Err(Diagnostic::new(message).in_file(given).into());
                }
            };
            let path = std::fs::canonicalize(&path)
                .map_err(|error| cannot_read(&path, dir, &error.to_string()))?;
            return match read(&path, dir)? {
                Some(text) => Ok(Self {
                    path,
                    text,
                    format,
                    by_name: false,
                }),
                None => Err(cannot_read(&path, dir, "it is not there").into()),
            };
        }
        for (name, format) in NAMES {
            let path = dir.join(name);
            if let Some(text) = read(&path, dir)? {
                return Ok(Self {
                    path,
                    text,
                    format,
                    by_name: true,
                });
            }
        }
        let message = format!(
            "there is no wrangler.jsonc, wrangler.json or wrangler.toml in {}",
            dir.display()
        );
        Err(Diagnostic::new(message).into())
    }

    /// Two configuration files are one too many: say which one counts.
    fn shadowed_warnings(&self, dir: &Path) -> Vec<Diagnostic> {
        if !self.by_name {
            return Vec::new();
        }
        let used = self.path.file_name().unwrap_or_default().to_string_lossy();
        NAMES
            .iter()
            .filter(|(name, _)| *name != used && dir.join(name).is_file())
            .map(|(name, _)| {
                Diagnostic::new(format!("ignored, because {used} is there")).in_file(name)
            })
            .collect()
    }
}

/// Local secrets, and where they were found.
#[derive(Default)]
struct DevVarsFiles {
    files: Vec<PathBuf>,
    secrets: BTreeMap<String, Secret>,
}

fn read_dev_vars(
    root: &Path,
    dir: &Path,
    environment: Option<&str>,
) -> Result<DevVarsFiles, Vec<Diagnostic>> {
    // A name with a slash would lead out of the folder; no such environment
    // has a file of its own.
    let environment = environment.filter(|name| !name.contains(['/', '\\', '\0']));
    let mut found = DevVarsFiles::default();
    let own = environment.map(|name| format!(".dev.vars.{name}"));
    for name in own.into_iter().chain([".dev.vars".to_owned()]) {
        if found.take(&root.join(name), dir)? {
            return Ok(found);
        }
    }
    // Where there is none, wrangler reads the files that other tools have, all
    // of them; what is nearer to this machine and environment wins.
    let mut names = vec![".env".to_owned()];
    names.extend(environment.map(|name| format!(".env.{name}")));
    names.push(".env.local".to_owned());
    names.extend(environment.map(|name| format!(".env.{name}.local")));
    for name in names {
        found.take(&root.join(name), dir)?;
    }
    Ok(found)
}

impl DevVarsFiles {
    /// Adds what a file says, over what is there. Whether it is there.
    fn take(&mut self, path: &Path, dir: &Path) -> Result<bool, Vec<Diagnostic>> {
        let Some(text) = read(path, dir).map_err(|fault| vec![fault])? else {
            return Ok(false);
        };
        let shown = shown(path, dir);
        let secrets = dev_vars::parse(&text).map_err(|faults| {
            let faults = faults.into_iter().map(|fault| fault.in_file(shown));
            faults.collect::<Vec<_>>()
        })?;
        self.files.push(path.to_path_buf());
        self.secrets.extend(secrets);
        Ok(true)
    }
}

fn missing_secrets<'a>(
    project: &'a Project,
    file: &'a Path,
) -> impl Iterator<Item = Diagnostic> + use<'a> {
    let names = project.required_secrets.iter();
    names
        .filter(|name| !project.secrets.contains_key(*name))
        .map(move |name| {
            Diagnostic::new(format!("\"{name}\" is required; add it to .dev.vars"))
                .in_file(file)
                .on_field("secrets.required")
        })
}

/// The whole text of a file without its byte order mark; `None` if not there.
fn read(path: &Path, dir: &Path) -> Result<Option<String>, Diagnostic> {
    let fault = |why: &str| cannot_read(path, dir, why);
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fault(&error.to_string())),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| fault(&error.to_string()))?;
    if bytes.len() as u64 > LARGEST {
        return Err(fault("it is larger than 1 MiB"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let text = String::from_utf8_lossy(error.as_bytes());
        fault("it is not UTF-8 text").at(Some(Lines::new(&text).position(valid)))
    })?;
    Ok(Some(match text.strip_prefix('\u{feff}') {
        Some(rest) => rest.to_owned(),
        None => text,
    }))
}

fn cannot_read(path: &Path, dir: &Path, why: &str) -> Diagnostic {
    Diagnostic::new(format!("the file cannot be read: {why}")).in_file(shown(path, dir))
}

/// The path as messages show it.
fn shown<'a>(path: &'a Path, dir: &Path) -> &'a Path {
    path.strip_prefix(dir).unwrap_or(path)
}
