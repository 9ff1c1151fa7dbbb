//! Files that become modules as they are: `find_additional_modules`, `no_bundle`.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::rules::{Matched, RuleSet};
use super::{Bundle, BundleErrors, Module, ModuleKind};
use crate::Project;
use crate::diagnostic::Diagnostic;

/// Modules of a worker are uploaded one by one; past this the rules match
/// something they were not meant to.
const MOST_FILES: usize = 2_000;

/// Folders within folders, so that the walk ends.
const DEEPEST: usize = 32;

/// Files that become modules without bundling, by their real paths.
pub(super) type Additional = BTreeMap<PathBuf, Module>;

/// The files under `base_dir` that the rules match.
pub(super) fn additional(project: &Project, rules: &RuleSet) -> Result<Additional, Diagnostic> {
    let mut found = Additional::new();
    let mut folders = vec![(project.base_dir.clone(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let entries =
            fs::read_dir(&folder).map_err(|error| cannot_read(project, &folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| cannot_read(project, &folder, &error))?;
            let path = entry.path();
            let name = entry.file_name();
            // Not the files of tools, of git or of secrets, nor packages.
            if name.as_encoded_bytes().starts_with(b".") || name == "node_modules" {
                continue;
            }
            let kind = entry
                .file_type()
                .map_err(|error| cannot_read(project, &path, &error))?;
            if kind.is_dir() && depth < DEEPEST {
                folders.push((path, depth + 1));
            } else if kind.is_file()
                && path != project.main
                && let Some(specifier) = relative(&project.base_dir, &path)
                && let Matched::Rule(rule) = rules.matching(&[&specifier])
            {
                if found.len() == MOST_FILES {
                    let message = format!("the module rules match more than {MOST_FILES} files");
                    return Err(Diagnostic::new(message).in_file(shown(project, &folder)));
                }
                let module = Module {
                    specifier,
                    kind: rule.into(),
                    content: fs::read(&path)
                        .map_err(|error| cannot_read(project, &path, &error))?,
                    source_map: None,
                };
                found.insert(path, module);
            }
        }
    }
    Ok(found)
}

/// A bundle of the entry as it is and the files the rules match.
pub(super) fn unbundled(project: &Project) -> Result<Bundle, BundleErrors> {
    let extension = project.main.extension().and_then(|it| it.to_str());
    let kind = match extension {
        Some("js" | "mjs") => ModuleKind::EsModule,
        Some("cjs") => ModuleKind::CommonJs,
        _ => {
            let message = "with no_bundle the entry must be JavaScript: a .js, .mjs or .cjs file";
            return Err(Diagnostic::new(message)
                .in_file(shown(project, &project.main))
                .into());
        }
    };
    let content =
        fs::read(&project.main).map_err(|error| cannot_read(project, &project.main, &error))?;
    let additional = additional(project, &RuleSet::new(&project.rules))?;
    let main = relative(&project.base_dir, &project.main).unwrap_or_else(|| name_of(&project.main));
    let mut watch_files = vec![project.main.clone()];
    watch_files.extend(additional.keys().cloned());
    let entry = Module {
        specifier: main.clone(),
        kind,
        content,
        source_map: None,
    };
    Ok(Bundle {
        main,
        modules: std::iter::once(entry)
            .chain(additional.into_values())
            .collect(),
        exports: None,
        externals: Vec::new(),
        warnings: Vec::new(),
        watch_files,
    })
}

/// A path below a folder, with slashes.
pub(super) fn relative(folder: &Path, path: &Path) -> Option<String> {
    let parts = path.strip_prefix(folder).ok()?.components();
    let parts: Vec<_> = parts
        .map(|part| part.as_os_str().to_string_lossy())
        .collect();
    (!parts.is_empty()).then(|| parts.join("/"))
}

pub(super) fn name_of(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

fn shown<'a>(project: &Project, path: &'a Path) -> &'a Path {
    path.strip_prefix(&project.root).unwrap_or(path)
}

fn cannot_read(project: &Project, path: &Path, error: &std::io::Error) -> Diagnostic {
    Diagnostic::new(format!("cannot be read: {error}")).in_file(shown(project, path))
}
