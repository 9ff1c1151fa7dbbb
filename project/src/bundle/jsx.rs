//! How JSX is compiled, which tsconfig and wrangler decide together.

use std::path::{Path, PathBuf};

use oxc_resolver::{CompilerOptions, ResolveError, ResolveOptions, Resolver};
use rolldown::JsxOptions;

use super::faults::without_place;
use crate::diagnostic::Diagnostic;
use crate::{Position, Project};

/// The JSX options of a project, and the tsconfig they came from.
///
/// As with wrangler's esbuild a tsconfig wins over `jsx_factory`, and without
/// either JSX is `React.createElement`. The tsconfig of the entry counts.
pub(super) fn options(project: &Project) -> Result<(JsxOptions, Option<PathBuf>), Diagnostic> {
    let path = project.tsconfig.clone().or_else(|| nearest(&project.main));
    let Some(path) = path else {
        return Ok((classic(project, None), None));
    };
    let tsconfig = Resolver::new(ResolveOptions::default())
        .resolve_tsconfig(&path)
        .map_err(|error| fault(project, &path, &error))?;
    let compiler = &tsconfig.compiler_options;
    let options = match compiler.jsx.as_deref() {
        Some("react-jsx") => automatic(compiler),
        Some("react-jsxdev") => JsxOptions {
            development: Some(true),
            ..automatic(compiler)
        },
        // They leave JSX to a later tool. There is none, so the import source
        // says which of the two transforms is meant.
        Some("preserve" | "react-native") => automatic(compiler),
        Some(_) => classic(project, Some(compiler)),
        None if compiler.jsx_import_source.is_some() => automatic(compiler),
        None => classic(project, Some(compiler)),
    };
    Ok((options, Some(path)))
}

/// A tsconfig that cannot be read, or one that it extends.
fn fault(project: &Project, path: &Path, error: &ResolveError) -> Diagnostic {
    let shown = |path: &Path| path.strip_prefix(&project.root).unwrap_or(path).to_owned();
    match error {
        ResolveError::TsconfigLoadFailed { path, source } => fault(project, path, source),
        ResolveError::Json(error) => {
            let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
            let position = Position {
                line: count(error.line),
                column: count(error.column),
            };
            Diagnostic::new(without_place(&error.message))
                .in_file(shown(&error.path))
                .at(Some(position))
        }
        ResolveError::TsconfigNotFound(missing) => {
            let message = format!(
                "it extends {}, which is not there",
                shown(missing).display()
            );
            Diagnostic::new(message).in_file(shown(path))
        }
        error => Diagnostic::new(error.to_string()).in_file(shown(path)),
    }
}

fn automatic(compiler: &CompilerOptions) -> JsxOptions {
    JsxOptions {
        runtime: Some("automatic".to_owned()),
        import_source: compiler.jsx_import_source.clone(),
        ..JsxOptions::default()
    }
}

fn classic(project: &Project, compiler: Option<&CompilerOptions>) -> JsxOptions {
    let own =
        |pick: fn(&CompilerOptions) -> &Option<String>| compiler.and_then(|it| pick(it).clone());
    JsxOptions {
        runtime: Some("classic".to_owned()),
        pragma: own(|it| &it.jsx_factory).or_else(|| project.jsx.factory.clone()),
        pragma_frag: own(|it| &it.jsx_fragment_factory).or_else(|| project.jsx.fragment.clone()),
        ..JsxOptions::default()
    }
}

fn nearest(main: &Path) -> Option<PathBuf> {
    main.ancestors()
        .skip(1)
        .map(|folder| folder.join("tsconfig.json"))
        .find(|path| path.is_file())
}
