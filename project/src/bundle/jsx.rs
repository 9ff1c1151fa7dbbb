//! How JSX is compiled, which tsconfig and wrangler decide together.

use std::path::{Path, PathBuf};

use oxc_resolver::{CompilerOptions, ResolveOptions, Resolver};
use rolldown::JsxOptions;

use crate::Project;
use crate::diagnostic::Diagnostic;

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
        .map_err(|error| {
            let shown = path.strip_prefix(&project.root).unwrap_or(&path);
            Diagnostic::new(error.to_string()).in_file(shown)
        })?;
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
