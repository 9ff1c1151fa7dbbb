//! What the pages for people name is there.

use super::{files, read, refuse, root};

/// Pages whose links and paths are checked.
fn pages() -> Vec<String> {
    let is_page = |path: &String| path.ends_with(".md") && !path.starts_with("examples/");
    files().into_iter().filter(is_page).collect()
}

/// `` `code` `` outside of fenced blocks.
fn code_spans(page: &str) -> Vec<String> {
    prose(page)
        .iter()
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .map(str::to_string)
        .collect()
}

/// The lines that are not in a fenced block.
fn prose(page: &str) -> Vec<&str> {
    let mut inside = false;
    let outside = page.lines().filter(|line| {
        let fence = line.trim_start().starts_with("```");
        inside ^= fence;
        !fence && !inside
    });
    outside.collect()
}

/// The targets of `[text](target)`.
fn links(page: &str) -> Vec<String> {
    prose(page)
        .iter()
        .flat_map(|line| line.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .map(|target| target.split('#').next().unwrap_or_default().to_string())
        .collect()
}

#[test]
fn links_lead_somewhere() {
    let mut faults = Vec::new();
    for page in pages() {
        let folder = root()
            .join(&page)
            .parent()
            .map(Into::into)
            .unwrap_or_else(root);
        for link in links(&read(&page)) {
            let outside = link.contains("://") || link.is_empty();
            if !outside && !folder.join(&link).exists() {
                faults.push(format!("{page}: {link}"));
            }
        }
    }
    refuse(&faults, "a link leads nowhere");
}

/// Whether a piece of code is a path of this repository: it begins with the
/// name of something in its root.
fn is_path(code: &str) -> bool {
    let plain = code
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c));
    let first = code.split('/').next().unwrap_or_default();
    // Secrets are a developer's own.
    let ours = !code.ends_with(".dev.vars");
    plain && ours && code.contains('/') && !first.is_empty() && root().join(first).is_dir()
}

#[test]
fn paths_in_pages_exist() {
    let mut faults = Vec::new();
    for page in ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md"] {
        for path in code_spans(&read(page)).iter().filter(|code| is_path(code)) {
            if !root().join(path).exists() {
                faults.push(format!("{page}: {path}"));
            }
        }
    }
    let architecture = read("ARCHITECTURE.md");
    for line in section(&architecture, "## Rooms").lines() {
        let room = line.split("  ").next().unwrap_or_default();
        if room.ends_with('/') && !root().join(room).is_dir() {
            faults.push(format!("ARCHITECTURE.md: the room {room}"));
        }
    }
    refuse(&faults, "a path is not there");
}

/// From a heading to the next of its level.
fn section<'a>(page: &'a str, heading: &str) -> &'a str {
    let (_, rest) = page
        .split_once(heading)
        .unwrap_or_else(|| panic!("{heading}"));
    rest.split("\n## ").next().unwrap_or_default()
}

#[test]
fn the_code_map_finds_what_it_names() {
    let architecture = read("ARCHITECTURE.md");
    let mut faults = Vec::new();
    let mut found = 0;
    for row in section(&architecture, "## Code map").lines() {
        let cells: Vec<_> = row.trim_matches('|').split('|').collect();
        let [_question, places, names] = cells[..] else {
            continue;
        };
        let code: String = code_spans(places).iter().map(|path| read(path)).collect();
        for name in code_spans(names) {
            found += 1;
            // `Node::deploy` is `fn deploy` there.
            let last = name.rsplit("::").next().unwrap_or_default();
            if !code.contains(last) {
                faults.push(format!("{name} is not in {}", places.trim()));
            }
        }
    }
    assert!(found > 20, "the code map is a table of three columns");
    refuse(&faults, "the code map is out of date");
}

#[test]
fn every_wrangler_field_is_documented() {
    let page = read("docs/dev.md");
    let mut faults = Vec::new();
    for line in read("project/src/fields.rs").lines() {
        let Some(rest) = line.trim_start().strip_prefix("field(\"") else {
            continue;
        };
        let (name, rest) = rest.split_once('"').expect("a quoted name");
        let begins = match rest {
            _ if rest.contains("Served") => None,
            _ if rest.contains("Ignored") => Some("| ignored"),
            _ if rest.contains("Warned") => Some("| a warning"),
            _ if rest.contains("NotYet") => Some("| a fault: not served yet"),
            _ => Some("| a fault: never served"),
        };
        let spelled = format!("`{name}`");
        let documented = page.lines().any(|line| match begins {
            Some(begins) => line.starts_with(begins) && line.contains(&spelled),
            None => line.starts_with("| `") && line.contains(&spelled),
        });
        if !documented {
            faults.push(format!("{name}{rest}"));
        }
    }
    refuse(&faults, "docs/dev.md says otherwise, or nothing");
}

#[test]
fn every_config_field_is_documented() {
    let page = read("docs/serve.md") + &read("docs/limits.md");
    let config = read("node/src/config.rs");
    let mut faults = Vec::new();
    let mut inside = false;
    for line in config.lines() {
        if line.starts_with("struct ") || line.starts_with('}') {
            inside = line.contains("Toml {");
        } else if inside && let Some((name, _)) = line.trim().split_once(": ") {
            // A table is written `[log]`, a field `log = ` or `` `log` ``.
            let spelled = [
                format!("`{name}`"),
                format!("\n{name} = "),
                format!("[{name}]"),
            ];
            if !spelled.iter().any(|spelled| page.contains(spelled)) {
                faults.push(name.to_string());
            }
        }
    }
    refuse(&faults, "docs/serve.md does not say");
}
