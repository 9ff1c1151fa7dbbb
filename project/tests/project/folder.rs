//! A folder made for one test.

use std::fs;
use std::path::{Path, PathBuf};

use outboard_project::{
    Bundle, BundleErrors, BundleOptions, LoadErrors, LoadOptions, Loaded, Module, Project, bundle,
    load,
};
use tempfile::TempDir;

pub(crate) struct Folder(TempDir);

/// The least a configuration needs, with room for more fields.
pub(crate) fn config(fields: &str) -> String {
    format!(
        r#"{{ "name": "w", "main": "src/index.ts", "compatibility_date": "2025-01-01", {fields} }}"#
    )
}

impl Folder {
    pub(crate) fn new(files: &[(&str, &str)]) -> Self {
        let folder = Self(TempDir::new().unwrap());
        for (path, content) in files {
            folder.write(path, content.as_bytes());
        }
        folder
    }

    /// A folder with a minimal configuration.
    pub(crate) fn worker(files: &[(&str, &str)]) -> Self {
        let folder = Self::new(files);
        if !folder.path().join("wrangler.jsonc").exists() {
            folder.write("wrangler.jsonc", config("").as_bytes());
        }
        folder
    }

    pub(crate) fn write(&self, path: &str, content: &[u8]) {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// The folder's real path, as the project names it.
    pub(crate) fn path(&self) -> PathBuf {
        fs::canonicalize(self.0.path()).unwrap()
    }

    pub(crate) fn load(&self, options: &LoadOptions) -> Result<Loaded, LoadErrors> {
        load(self.0.path(), options)
    }

    pub(crate) fn project(&self) -> Project {
        match self.load(&LoadOptions::default()) {
            Ok(loaded) => loaded.project,
            Err(errors) => panic!("{errors}"),
        }
    }

    pub(crate) fn try_bundle(&self, options: &BundleOptions) -> Result<Bundle, BundleErrors> {
        bundle_blocking(&self.project(), options)
    }

    pub(crate) fn bundle(&self) -> Bundle {
        match self.try_bundle(&BundleOptions::default()) {
            Ok(bundle) => bundle,
            Err(errors) => panic!("{errors}"),
        }
    }

    /// The errors of bundling, as printed, with the folder's path left out.
    pub(crate) fn bundle_errors(&self) -> String {
        let errors = self.try_bundle(&BundleOptions::default()).unwrap_err();
        errors
            .to_string()
            .replace(&*self.path().to_string_lossy(), "ROOT")
    }

    /// Every file below the folder.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else {
                    found.push(path);
                }
            }
        }
        let mut found = Vec::new();
        walk(self.0.path(), &mut found);
        found.sort();
        found
    }
}

pub(crate) fn bundle_blocking(
    project: &Project,
    options: &BundleOptions,
) -> Result<Bundle, BundleErrors> {
    tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap()
        .block_on(bundle(project, options))
}

/// The entry's code.
pub(crate) fn code(bundle: &Bundle) -> &str {
    std::str::from_utf8(&bundle.modules[0].content).unwrap()
}

pub(crate) fn module<'a>(bundle: &'a Bundle, ending: &str) -> &'a Module {
    bundle
        .modules
        .iter()
        .find(|module| module.specifier.ends_with(ending))
        .unwrap_or_else(|| panic!("no {ending} in {:?}", bundle.modules))
}

pub(crate) fn assert_contains(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(text.contains(part), "no {part:?} in:\n{text}");
    }
}

pub(crate) fn assert_lacks(text: &str, parts: &[&str]) {
    for part in parts {
        assert!(!text.contains(part), "{part:?} is in:\n{text}");
    }
}
