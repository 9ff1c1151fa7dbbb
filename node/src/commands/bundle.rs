//! `outboard bundle`: a project's modules as files.

use std::path::{Component, Path};

use anyhow::{Context, bail};
use outboard_project::{DevVars, Mode};

use super::{bundle_project, command_runtime, load};
use crate::cli::Bundle;

pub(crate) fn run(options: &Bundle) -> anyhow::Result<()> {
    let project = &options.project;
    let loaded = load(&project.dir, project.env.as_deref(), DevVars::Ignore)?;
    let bundle = command_runtime()?.block_on(bundle_project(&loaded, Mode::Production))?;
    for module in &bundle.modules {
        let relative = Path::new(&module.specifier);
        if !relative
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
        {
            bail!(
                "{}: a module's path may not leave the folder",
                module.specifier
            );
        }
        let path = options.out.join(relative);
        write(&path, &module.content)?;
        println!("{} ({} bytes)", path.display(), module.content.len());
        if let Some(map) = &module.source_map {
            let mut name = path.into_os_string();
            name.push(".map");
            write(Path::new(&name), map)?;
        }
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    }
    std::fs::write(path, content).with_context(|| path.display().to_string())
}
