//! Decides what an import is before the bundler does: a module of the
//! runtime, a file that stays a module of its own, or code to bundle.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rolldown::plugin::{
    HookLoadArgs, HookLoadOutput, HookLoadReturn, HookResolveIdArgs, HookResolveIdOutput,
    HookResolveIdReturn, HookUsage, Plugin, PluginContext, PluginContextResolveOptions,
    SharedLoadPluginContext,
};
use rolldown_common::{ImportKind, ModuleType, ResolvedExternal};
use sha1::{Digest, Sha1};

use super::builtins::is_node_builtin;
use super::files::{Additional, name_of, relative};
use super::rules::{Matched, RuleSet};
use super::{Module, ModuleKind};
use crate::RuleType;
use crate::diagnostic::Diagnostic;

/// Schemes the runtime resolves.
const RUNTIME: [&str; 3] = ["cloudflare:", "node:", "workerd:"];

/// In front of the ids of modules that stand for a `require` of an external.
const REQUIRED: &str = "\0outboard-require:";

#[derive(Debug)]
pub(super) struct Modules {
    pub(super) root: PathBuf,
    pub(super) base_dir: PathBuf,
    /// The folder of the entry's specifier, with a slash at its end, or empty.
    pub(super) main_folder: String,
    pub(super) rules: RuleSet,
    /// Whole specifiers and what is meant instead; paths are absolute.
    pub(super) alias: BTreeMap<String, String>,
    pub(super) preserve_file_names: bool,
    pub(super) additional: Additional,
    pub(super) collected: Arc<Collected>,
}

/// What the plugin saw, for the one who started the bundler.
#[derive(Debug, Default)]
pub(super) struct Collected {
    modules: Mutex<BTreeMap<String, Module>>,
    files: Mutex<BTreeSet<PathBuf>>,
    /// The plugin's own errors, which the bundler would show as crashes of it.
    errors: Mutex<Vec<Diagnostic>>,
}

impl Collected {
    pub(super) fn modules(&self) -> MutexGuard<'_, BTreeMap<String, Module>> {
        self.modules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn files(&self) -> MutexGuard<'_, BTreeSet<PathBuf>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn errors(&self) -> MutexGuard<'_, Vec<Diagnostic>> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a module under the first of its names that is free.
    fn add(&self, names: Names, kind: ModuleKind, content: Vec<u8>) -> String {
        let mut modules = self.modules();
        let names = names.in_order(&content);
        let free = names.iter().find(|name| {
            let module = modules.get(*name);
            module.is_none_or(|module| module.content == content && module.kind == kind)
        });
        let specifier = free.or(names.last()).cloned().unwrap_or_default();
        let module = Module {
            specifier: specifier.clone(),
            kind,
            content,
            source_map: None,
        };
        modules.insert(specifier.clone(), module);
        specifier
    }
}

/// What a module may be called.
struct Names {
    /// The name it has anyway, if names are kept.
    kept: Option<String>,
    /// The folder and the file name of one with a hash.
    hashed: (String, String),
}

impl Names {
    /// Eight digits of a hash keep names short; the whole hash tells apart
    /// the contents that share them.
    fn in_order(self, content: &[u8]) -> Vec<String> {
        let hash = format!("{:x}", Sha1::digest(content));
        let (folder, name) = self.hashed;
        let hashed = [&hash[..8], &hash].map(|hash| format!("{folder}{hash}-{name}"));
        self.kept.into_iter().chain(hashed).collect()
    }
}

/// Stops the bundler; what was wrong is among the collected errors.
#[derive(Debug, thiserror::Error)]
#[error("see the collected errors")]
struct Collecting;

impl Plugin for Modules {
    fn name(&self) -> Cow<'static, str> {
        "outboard".into()
    }

    async fn resolve_id(
        &self,
        context: &PluginContext,
        args: &HookResolveIdArgs<'_>,
    ) -> HookResolveIdReturn {
        let import = matches!(
            args.kind,
            ImportKind::Import | ImportKind::DynamicImport | ImportKind::Require
        );
        if args.is_entry || !import {
            return Ok(None);
        }
        // What such a module imports was decided when it was made.
        if args
            .importer
            .is_some_and(|importer| importer.starts_with(REQUIRED))
        {
            return Ok(Some(as_import(args.specifier)));
        }
        let specifier = self
            .alias
            .get(args.specifier)
            .map_or(args.specifier, String::as_str);
        if RUNTIME.iter().any(|scheme| specifier.starts_with(scheme)) {
            return Ok(Some(external(specifier, args.kind)));
        }
        if specifier.starts_with("https://") || specifier.starts_with("http://") {
            let message = format!("{specifier}: Outboard does not load modules from the network");
            return Err(self.fail(Diagnostic::new(message), args.importer));
        }
        let bare = specifier.split('?').next().unwrap_or(specifier);
        let below_root = relative(&self.root, Path::new(bare));
        let names = [specifier, bare, below_root.as_deref().unwrap_or(bare)];
        match self.rules.matching(&names) {
            Matched::Rule(rule) if !is_code(rule) => {
                self.keep_as_module(context, args, bare, rule).await
            }
            Matched::Shadowed(rule) => {
                let message = format!(
                    "{specifier} matches the module rule for {}, which is ignored: an earlier \
                     rule of the same type needs \"fallthrough\": true",
                    rule.globs.join(", ")
                );
                Err(self.fail(Diagnostic::new(message), args.importer))
            }
            _ if !self.additional.is_empty() => self.keep_if_additional(context, args, bare).await,
            _ if is_node_builtin(specifier) => builtin(context, args, specifier).await,
            _ => Ok(None),
        }
    }

    async fn load(
        &self,
        _context: SharedLoadPluginContext,
        args: &HookLoadArgs<'_>,
    ) -> HookLoadReturn {
        if let Some(specifier) = args.id.strip_prefix(REQUIRED) {
            return Ok(Some(HookLoadOutput {
                code: required(specifier).into(),
                module_type: Some(ModuleType::Js),
                ..HookLoadOutput::default()
            }));
        }
        let path = args.id.split('?').next().unwrap_or(args.id);
        if Path::new(path).is_absolute() {
            self.collected.files().insert(PathBuf::from(path));
        }
        if path.ends_with(".css") {
            let message = "Outboard does not bundle CSS; to import its text, add a module rule \
                           of type \"Text\" for it";
            return Err(self.fail(Diagnostic::new(message), Some(path)));
        }
        Ok(None)
    }

    fn register_hook_usage(&self) -> HookUsage {
        HookUsage::ResolveId | HookUsage::Load
    }
}

impl Modules {
    fn fail(&self, error: Diagnostic, file: Option<&str>) -> anyhow::Error {
        let file = file.map(Path::new);
        let file = file.map(|file| file.strip_prefix(&self.root).unwrap_or(file));
        self.collected.errors().push(Diagnostic {
            file: file.map(Path::to_owned),
            ..error
        });
        Collecting.into()
    }

    /// Takes the file out of the bundle, and lets the import name it.
    async fn keep_as_module(
        &self,
        context: &PluginContext,
        args: &HookResolveIdArgs<'_>,
        specifier: &str,
        rule: RuleType,
    ) -> HookResolveIdReturn {
        let Some(path) = resolve(context, args, specifier).await? else {
            return Ok(None);
        };
        self.collected.files().insert(path.clone());
        if let Some(module) = self.additional.get(&path) {
            return Ok(Some(external(
                &self.seen_from_main(&module.specifier),
                args.kind,
            )));
        }
        let reading = path.clone();
        let content = tokio::task::spawn_blocking(move || std::fs::read(reading)).await?;
        let content = content.map_err(|error| {
            let error = Diagnostic::new(format!("cannot be read: {error}"));
            self.fail(error, path.to_str())
        })?;
        let kept = self
            .preserve_file_names
            .then(|| relative(&self.base_dir, &path).unwrap_or_else(|| name_of(&path)));
        let names = Names {
            kept,
            hashed: (self.main_folder.clone(), name_of(&path)),
        };
        let specifier = self.collected.add(names, rule.into(), content);
        Ok(Some(external(&self.seen_from_main(&specifier), args.kind)))
    }

    async fn keep_if_additional(
        &self,
        context: &PluginContext,
        args: &HookResolveIdArgs<'_>,
        specifier: &str,
    ) -> HookResolveIdReturn {
        let path = resolve(context, args, specifier).await?;
        let module = path.and_then(|path| self.additional.get(&path));
        match module {
            Some(module) => Ok(Some(external(
                &self.seen_from_main(&module.specifier),
                args.kind,
            ))),
            None if is_node_builtin(specifier) => builtin(context, args, specifier).await,
            None => Ok(None),
        }
    }

    /// A module's specifier, relative to the entry that will import it.
    fn seen_from_main(&self, specifier: &str) -> String {
        match specifier.strip_prefix(&self.main_folder) {
            Some(below) => format!("./{below}"),
            None => {
                let up = "../".repeat(self.main_folder.matches('/').count());
                format!("{up}{specifier}")
            }
        }
    }
}

/// The file an import means, if it is one.
async fn resolve(
    context: &PluginContext,
    args: &HookResolveIdArgs<'_>,
    specifier: &str,
) -> anyhow::Result<Option<PathBuf>> {
    let options = PluginContextResolveOptions {
        import_kind: args.kind,
        ..PluginContextResolveOptions::default()
    };
    let resolved = context
        .resolve(specifier, args.importer, Some(options))
        .await?;
    // What cannot be resolved is left to the bundler, whose error has a place.
    Ok(resolved
        .ok()
        .map(|resolved| PathBuf::from(resolved.id.as_str()))
        .filter(|path| path.is_file()))
}

/// A name Node has built in is a package of that name if there is one.
async fn builtin(
    context: &PluginContext,
    args: &HookResolveIdArgs<'_>,
    specifier: &str,
) -> HookResolveIdReturn {
    let options = PluginContextResolveOptions {
        import_kind: args.kind,
        ..PluginContextResolveOptions::default()
    };
    match context
        .resolve(specifier, args.importer, Some(options))
        .await?
    {
        Ok(_) => Ok(None),
        Err(_) => Ok(Some(external(&format!("node:{specifier}"), args.kind))),
    }
}

/// An import that stays in the bundle. An ES module cannot `require`, so a
/// `require` goes through a module that imports.
fn external(specifier: &str, kind: ImportKind) -> HookResolveIdOutput {
    if kind == ImportKind::Require {
        HookResolveIdOutput::from_id(format!("{REQUIRED}{specifier}"))
    } else {
        as_import(specifier)
    }
}

fn as_import(specifier: &str) -> HookResolveIdOutput {
    HookResolveIdOutput {
        id: specifier.into(),
        external: Some(ResolvedExternal::Bool(true)),
        ..HookResolveIdOutput::default()
    }
}

/// The code of the module that stands for a `require`.
fn required(specifier: &str) -> String {
    // Node's modules and the rules' have a default export that is what
    // `require` gives; the runtime's other modules have none.
    let own = specifier.starts_with("node:") || !RUNTIME.iter().any(|it| specifier.starts_with(it));
    let binding = if own { "value" } else { "* as value" };
    let specifier = serde_json::Value::from(specifier);
    format!("import {binding} from {specifier};\nmodule.exports = value;\n")
}

fn is_code(rule: RuleType) -> bool {
    matches!(rule, RuleType::EsModule | RuleType::CommonJs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contents_never_share_a_name() {
        let collected = Collected::default();
        let add = |kept: Option<&str>, kind, content: &str| {
            let names = Names {
                kept: kept.map(str::to_owned),
                hashed: ("src/".to_owned(), "x.txt".to_owned()),
            };
            collected.add(names, kind, content.into())
        };
        let (text, data) = (ModuleKind::Text, ModuleKind::Data);
        assert_eq!(add(None, text, "a"), "src/86f7e437-x.txt");
        assert_eq!(add(None, text, "a"), "src/86f7e437-x.txt");
        let whole = "src/86f7e437faa5a7fce15d1ddcb9eaeaea377667b8-x.txt";
        assert_eq!(add(None, data, "a"), whole);
        assert_eq!(add(Some("x.txt"), text, "a"), "x.txt");
        assert_eq!(add(Some("x.txt"), text, "b"), "src/e9d71f5e-x.txt");
        assert_eq!(collected.modules().len(), 4);
    }
}
