//! Test files: which there are, and what their comments ask for.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use super::areas;

/// What a run finds in the checkout.
pub(crate) enum Discovered {
    Test(TestFile),
    Skipped { path: String, reason: String },
}

/// One script, in one of its variants.
#[derive(Debug, Clone)]
pub(crate) struct TestFile {
    /// The checkout.
    pub(crate) root: PathBuf,
    /// `url/a.any.js`.
    pub(crate) path: String,
    /// `?include=file`, or nothing.
    pub(crate) variant: String,
    pub(crate) meta: Meta,
    pub(crate) source: String,
}

/// The `// META:` lines of a test.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Meta {
    pub(crate) title: Option<String>,
    pub(crate) scripts: Vec<String>,
    pub(crate) variants: Vec<String>,
    pub(crate) globals: Vec<String>,
    pub(crate) long: bool,
}

impl TestFile {
    pub(crate) fn name(&self) -> String {
        format!("{}{}", self.path, self.variant)
    }

    /// How long its subtests may take before those left count as timed out.
    pub(crate) fn patience(&self) -> Duration {
        Duration::from_secs(if self.meta.long { 60 } else { 12 })
    }

    /// Where the tests' server would have it, as a worker's script.
    pub(crate) fn url_path(&self) -> String {
        let stem = self
            .path
            .strip_suffix(".any.js")
            .map(|stem| format!("{stem}.any.worker.html"));
        format!("/{}{}", stem.unwrap_or(self.path.clone()), self.variant)
    }
}

impl Meta {
    pub(crate) fn parse(source: &str) -> Self {
        let mut meta = Self::default();
        for line in source.lines() {
            let Some(line) = line.trim_end().strip_prefix("//") else {
                // They stand before the first statement.
                if line.trim().is_empty() {
                    continue;
                }
                break;
            };
            let Some((key, value)) = line
                .trim_start()
                .strip_prefix("META:")
                .and_then(|rest| rest.trim_start().split_once('='))
            else {
                continue;
            };
            match key {
                "title" => meta.title = Some(value.into()),
                "script" => meta.scripts.push(value.into()),
                "variant" => meta.variants.push(value.into()),
                "global" => meta.globals = value.split(',').map(|g| g.trim().into()).collect(),
                "timeout" => meta.long = value == "long",
                _ => {}
            }
        }
        meta
    }

    /// Whether some kind of worker is among the scopes it is for.
    fn is_for_workers(&self) -> bool {
        self.globals.is_empty() || self.globals.iter().any(|global| global.contains("worker"))
    }
}

/// Every test of the areas, sorted.
pub(crate) fn discover(root: &Path, filters: &[String]) -> Result<Vec<Discovered>> {
    let mut paths = Vec::new();
    for area in areas::AREAS {
        let folder = root.join(area.folder);
        if folder.is_dir() {
            walk(&folder, &mut paths)?;
        }
    }
    paths.sort();
    let mut found = Vec::new();
    for file in paths {
        let path = file
            .strip_prefix(root)?
            .to_str()
            .context("a test's path is UTF-8")?
            .to_string();
        let wanted = filters.is_empty() || filters.iter().any(|part| path.contains(part));
        if wanted {
            read(root, path, &mut found)?;
        }
    }
    Ok(found)
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            walk(&path, paths)?;
        } else if Kind::of(&path.to_string_lossy()).is_some() {
            paths.push(path);
        }
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Any,
    Window,
    Worker,
}

impl Kind {
    fn of(path: &str) -> Option<Self> {
        if path.ends_with(".any.js") {
            Some(Self::Any)
        } else if path.ends_with(".window.js") {
            Some(Self::Window)
        } else if path.ends_with(".worker.js") {
            Some(Self::Worker)
        } else {
            None
        }
    }
}

fn read(root: &Path, path: String, found: &mut Vec<Discovered>) -> Result<()> {
    let bytes = std::fs::read(root.join(&path)).with_context(|| path.clone())?;
    let source = String::from_utf8_lossy(&bytes).into_owned();
    let mut meta = Meta::parse(&source);
    let reason = match Kind::of(&path) {
        Some(Kind::Any) if !meta.is_for_workers() => Some("not for workers"),
        Some(Kind::Window) if source.contains("self.open") || source.contains("frames") => {
            Some("needs a window")
        }
        _ => areas::skip_reason(&path, &source),
    };
    if let Some(reason) = reason {
        let reason = reason.into();
        found.push(Discovered::Skipped { path, reason });
        return Ok(());
    }
    if meta.variants.is_empty() {
        meta.variants.push(String::new());
    }
    for variant in std::mem::take(&mut meta.variants) {
        if let Some(reason) = areas::skip_variant(&variant) {
            found.push(Discovered::Skipped {
                path: format!("{path}{variant}"),
                reason: reason.into(),
            });
            continue;
        }
        found.push(Discovered::Test(TestFile {
            root: root.into(),
            path: path.clone(),
            variant,
            meta: meta.clone(),
            source: source.clone(),
        }));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_say_what_a_test_needs() {
        let meta = Meta::parse(
            "// META: title=Two words\n// a remark\n// META: global=window,worker\n\n\
             // META: script=/common/a.js\n// META: script=b.js\n// META: timeout=long\n\
             // META: variant=?1-10\ntest();\n// META: script=late.js\n",
        );
        assert_eq!(
            meta,
            Meta {
                title: Some("Two words".into()),
                scripts: vec!["/common/a.js".into(), "b.js".into()],
                variants: vec!["?1-10".into()],
                globals: vec!["window".into(), "worker".into()],
                long: true,
            }
        );
    }

    #[test]
    fn scopes_without_a_worker_are_none_for_us() {
        let is_for = |globals: &str| Meta::parse(globals).is_for_workers();
        assert!(is_for(""));
        assert!(is_for("// META: global=window,dedicatedworker"));
        assert!(!is_for("// META: global=window"));
    }
}
