//! The bundler's diagnostics in the project's words.

use std::path::Path;

use rolldown_error::{BuildDiagnostic, DiagnosticOptions, EventKind, Severity};

use crate::diagnostic::{Diagnostic, Position};

/// Imports that would only fail once the worker runs are errors here: the
/// bundler keeps them as externals, and the runtime has no packages.
pub(super) fn is_error(diagnostic: &BuildDiagnostic) -> bool {
    matches!(diagnostic.severity(), Severity::Error)
        || matches!(
            diagnostic.kind(),
            EventKind::UnresolvedImport | EventKind::UnresolvedEntry
        )
}

/// Whether it only says that the JSX options, which were made from a tsconfig,
/// override that tsconfig. No check switches it off.
pub(super) fn is_noise(diagnostic: &BuildDiagnostic) -> bool {
    matches!(diagnostic.kind(), EventKind::ConfigurationFieldConflict)
}

/// Whether a plugin raised it, whose own words are elsewhere.
pub(super) fn is_from_plugin(diagnostic: &BuildDiagnostic) -> bool {
    matches!(
        diagnostic.kind(),
        EventKind::PluginError
            | EventKind::UnhandleableError
            | EventKind::UnloadableDependencyError
    )
}

pub(super) fn translate(diagnostic: &BuildDiagnostic, root: &Path) -> Diagnostic {
    let options = DiagnosticOptions {
        cwd: root.to_owned(),
    };
    let found = diagnostic.to_diagnostic_with(&options);
    let rendered = found.convert_to_string(false);
    let (message, frame) = split(&rendered);
    let mut translated = Diagnostic::new(message).with_frame(frame);
    // The message names the importer, which the position does already.
    if let Some(importer) = diagnostic.id() {
        let tail = format!(" in {}", options.stabilize_path(importer));
        if let Some(short) = translated.message.strip_suffix(&tail) {
            translated.message = short.to_owned();
        }
    }
    if let Some((file, line, column, _)) = found.get_primary_location() {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        translated = translated.in_file(file).at(Some(Position {
            line: count(line),
            column: count(column + 1),
        }));
    } else if let Some(id) = diagnostic.id() {
        translated = translated.in_file(options.stabilize_path(id));
    }
    translated
}

/// Splits `[KIND] message`, then the frame from its first corner on.
fn split(rendered: &str) -> (String, Option<String>) {
    let rendered = match rendered
        .strip_prefix('[')
        .and_then(|rest| rest.split_once("] "))
    {
        Some((_, rest)) => rest,
        None => rendered,
    };
    let (message, frame) = match rendered.find('\u{256d}') {
        Some(corner) => {
            let line = rendered[..corner].rfind('\n').map_or(0, |at| at + 1);
            rendered.split_at(line)
        }
        None => (rendered, ""),
    };
    let said = |text: &str| {
        text.trim_end()
            .replace(
                "Module not found, treating it as an external dependency",
                "not found",
            )
            .replace("Module not found.", "not found")
    };
    let frame = said(frame);
    (
        without_place(&said(message)).to_owned(),
        (!frame.is_empty()).then_some(frame),
    )
}

/// JSON's messages end with the place, which the position says already.
pub(super) fn without_place(message: &str) -> &str {
    match message.rsplit_once(" at line ") {
        Some((said, place)) if place.split(" column ").all(|n| n.parse::<u32>().is_ok()) => said,
        _ => message,
    }
}
