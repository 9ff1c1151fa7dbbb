//! The bundler itself, set up to do what wrangler's does.

use std::path::PathBuf;
use std::sync::Arc;

use rolldown::{
    Bundler, BundlerBuilder, BundlerOptions, BundlerTransformOptions, ChecksOptions,
    CodeSplittingMode, Either, InputItem, ModuleType, OutputFormat, Platform, RawMinifyOptions,
    ResolveOptions, SourceMapType, TsConfig,
};
use rolldown_common::{Output, OutputChunk};
use rolldown_error::BuildDiagnostic;

use super::plugin::{Collected, Modules};
use super::rules::RuleSet;
use super::{
    Bundle, BundleErrors, BundleOptions, Module, ModuleKind, decorators, faults, files, jsx,
};
use crate::Project;
use crate::diagnostic::Diagnostic;

pub(super) async fn run(project: &Project, options: BundleOptions) -> Result<Bundle, BundleErrors> {
    let (jsx, tsconfig) = jsx::options(project)?;
    let rules = RuleSet::new(&project.rules);
    let additional = if project.find_additional_modules {
        files::additional(project, &rules)?
    } else {
        files::Additional::new()
    };
    let main = specifier_of_main(project);
    let main_folder = main
        .rfind('/')
        .map_or("", |slash| &main[..=slash])
        .to_owned();
    let collected = Arc::new(Collected::default());
    collected.files().extend(tsconfig);
    collected.files().extend(additional.keys().cloned());
    collected.files().insert(project.main.clone());
    let kept: Vec<_> = additional.values().cloned().collect();

    let plugin = Modules {
        root: project.root.clone(),
        base_dir: project.base_dir.clone(),
        main_folder,
        rules,
        alias: alias(project).collect(),
        preserve_file_names: project.preserve_file_names,
        additional,
        collected: Arc::clone(&collected),
    };
    let bundler = BundlerBuilder::default()
        .with_options(bundler_options(project, options, jsx))
        .with_plugins(vec![Arc::new(plugin)])
        .build();
    let output = match bundler {
        Ok(mut bundler) => generate(&mut bundler).await,
        Err(errors) => Err(errors.into_vec()),
    };

    let (chunk, found) = match output {
        Ok(output) => output,
        Err(found) => return Err(failed(project, &found, &collected)),
    };
    if found.iter().any(faults::is_error) {
        return Err(failed(project, &found, &collected));
    }
    let Some(chunk) = chunk else {
        return Err(Diagnostic::new("the bundler made no module of the entry").into());
    };
    let map = chunk.map.as_ref().map(|map| map.to_json_string());
    if let Some(error) = decorators::refuse(&chunk.code, map.as_deref()) {
        return Err(BundleErrors {
            watch_files: collected.files().iter().cloned().collect(),
            ..BundleErrors::from(error)
        });
    }
    let externals = externals(&chunk);
    let translate = |one| faults::translate(one, &project.root);
    let telling = found.iter().filter(|one| !faults::is_noise(one));
    let mut warnings: Vec<_> = telling.map(translate).collect();
    warnings.extend(node_warnings(project, &externals));
    let entry = Module {
        specifier: main.clone(),
        kind: ModuleKind::EsModule,
        content: chunk.code.clone().into_bytes(),
        source_map: map.map(String::into_bytes),
    };
    let modules = std::mem::take(&mut *collected.modules());
    Ok(Bundle {
        main,
        modules: std::iter::once(entry)
            .chain(modules.into_values())
            .chain(kept)
            .collect(),
        exports: Some(chunk.exports.iter().map(ToString::to_string).collect()),
        externals,
        warnings,
        watch_files: collected.files().iter().cloned().collect(),
    })
}

type Generated = (Option<Arc<OutputChunk>>, Vec<BuildDiagnostic>);

/// The entry's chunk, the only one since code is not split, and the warnings.
async fn generate(bundler: &mut Bundler) -> Result<Generated, Vec<BuildDiagnostic>> {
    let generated = bundler.generate().await;
    let closed = bundler.close().await;
    let output = generated.map_err(|errors| errors.into_vec())?;
    closed.map_err(|errors| errors.into_vec())?;
    let chunk = output.assets.into_iter().find_map(|asset| match asset {
        Output::Chunk(chunk) if chunk.is_entry => Some(chunk),
        _ => None,
    });
    Ok((chunk, output.warnings))
}

fn bundler_options(
    project: &Project,
    options: BundleOptions,
    jsx: rolldown::JsxOptions,
) -> BundlerOptions {
    let strings = |list: &[&str]| {
        list.iter()
            .map(|item| (*item).to_owned())
            .collect::<Vec<_>>()
    };
    let root = project.root.to_string_lossy().into_owned();
    BundlerOptions {
        input: Some(vec![InputItem {
            name: project
                .main
                .file_stem()
                .map(|stem| stem.to_string_lossy().into_owned()),
            import: project.main.to_string_lossy().into_owned(),
        }]),
        cwd: Some(project.root.clone()),
        // Nothing is written. Sources of the map are relative to this folder.
        dir: Some(root),
        entry_filenames: Some("[name].js".to_owned().into()),
        format: Some(OutputFormat::Esm),
        platform: Some(Platform::Browser),
        code_splitting: Some(CodeSplittingMode::Bool(false)),
        sourcemap: Some(SourceMapType::Hidden),
        minify: Some(if project.minify {
            RawMinifyOptions::Bool(true)
        } else {
            RawMinifyOptions::DeadCodeEliminationOnly
        }),
        keep_names: Some(project.keep_names),
        define: Some(define(project, options).into_iter().collect()),
        // JSX is allowed in plain JavaScript too, as wrangler allows it.
        module_types: Some(
            ["js", "mjs", "cjs"]
                .map(|extension| (extension.to_owned(), ModuleType::Jsx))
                .into_iter()
                .collect(),
        ),
        // No target: V8 runs what the newest syntax says.
        transform: Some(BundlerTransformOptions {
            jsx: Some(Either::Right(jsx)),
            ..BundlerTransformOptions::default()
        }),
        tsconfig: Some(match &project.tsconfig {
            Some(path) => TsConfig::Manual(path.clone()),
            None => TsConfig::Auto(true),
        }),
        resolve: Some(ResolveOptions {
            alias: Some(
                // The bundler's way to say that an alias is a whole specifier.
                alias(project)
                    .map(|(name, target)| (format!("{name}$"), vec![Some(target)]))
                    .collect(),
            ),
            condition_names: Some(strings(&["workerd", "worker", "browser", "module"])),
            main_fields: Some(strings(&["browser", "module", "main"])),
            ..ResolveOptions::default()
        }),
        checks: Some(ChecksOptions {
            // Dynamic imports are inlined, so none makes a chunk.
            ineffective_dynamic_import: Some(false),
            plugin_timings: Some(false),
            prefer_builtin_feature: Some(false),
            large_barrel_modules: Some(false),
            ..ChecksOptions::default()
        }),
        ..BundlerOptions::default()
    }
}

fn define(project: &Project, options: BundleOptions) -> Vec<(String, String)> {
    let node_env = format!("\"{}\"", options.mode.node_env());
    let mut define: Vec<_> = [
        "process.env.NODE_ENV",
        "global.process.env.NODE_ENV",
        "globalThis.process.env.NODE_ENV",
    ]
    .into_iter()
    .filter(|name| !project.define.contains_key(*name))
    .map(|name| (name.to_owned(), node_env.clone()))
    .collect();
    define.extend(
        project
            .define
            .iter()
            .map(|(name, value)| (name.clone(), value.clone())),
    );
    define
}

/// Aliases, whose targets are seen from the root.
fn alias(project: &Project) -> impl Iterator<Item = (String, String)> {
    project.alias.iter().map(|(name, target)| {
        let relative = target.starts_with("./") || target.starts_with("../");
        let target = if relative {
            project.root.join(target).to_string_lossy().into_owned()
        } else {
            target.clone()
        };
        (name.clone(), target)
    })
}

/// Only additional modules, which keep their paths, need the entry to keep its.
fn specifier_of_main(project: &Project) -> String {
    let below = files::relative(&project.base_dir, &project.main)
        .filter(|_| project.find_additional_modules || project.preserve_file_names);
    let path = below.unwrap_or_else(|| files::name_of(&project.main));
    let path = PathBuf::from(path).with_extension("js");
    path.to_string_lossy().into_owned()
}

/// What the chunk imports that is not one of the worker's own modules.
fn externals(chunk: &OutputChunk) -> Vec<String> {
    let imports = chunk.imports.iter().chain(&chunk.dynamic_imports);
    let mut externals: Vec<_> = imports
        .filter(|import| !import.starts_with('.') && **import != chunk.filename)
        .map(ToString::to_string)
        .collect();
    externals.sort();
    externals.dedup();
    externals
}

/// Modules of Node's that the project did not ask for.
fn node_warnings(project: &Project, externals: &[String]) -> impl Iterator<Item = Diagnostic> {
    let has = |flag: &str| project.compatibility_flags.iter().any(|it| it == flag);
    let all = has("nodejs_compat") || has("nodejs_compat_v2");
    let hooks = all || has("nodejs_als");
    externals
        .iter()
        .filter(move |name| name.starts_with("node:") && !all)
        .filter(move |name| !(hooks && *name == "node:async_hooks"))
        .map(|name| {
            let message = format!(
                "\"{name}\" is imported; add \"nodejs_compat\" to `compatibility_flags` for it"
            );
            Diagnostic::new(message)
        })
}

fn failed(project: &Project, found: &[BuildDiagnostic], collected: &Collected) -> BundleErrors {
    let mut errors = std::mem::take(&mut *collected.errors());
    let mut warnings = Vec::new();
    for one in found.iter().filter(|one| !faults::is_noise(one)) {
        let translated = faults::translate(one, &project.root);
        if !faults::is_error(one) {
            warnings.push(translated);
        } else if !faults::is_from_plugin(one) || errors.is_empty() {
            errors.push(translated);
        }
    }
    errors.dedup();
    if errors.is_empty() {
        errors.push(Diagnostic::new("the bundler failed and did not say why"));
    }
    BundleErrors {
        errors,
        warnings,
        watch_files: collected.files().iter().cloned().collect(),
    }
}
