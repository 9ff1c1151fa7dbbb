//! A test as one worker: no worker may evaluate text, so everything a test
//! loads is put together beforehand.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::site::Site;
use super::substitute::substitute;
use super::test_file::TestFile;

const PRELUDE: &str = include_str!("prelude.js");

/// The worker's module.
pub(crate) fn build(test: &TestFile, site: &Site) -> Result<String> {
    let page = format!("{}{}", site.origin(), test.url_path());
    let mut parts = vec![read(test, "/resources/testharness.js", site)?];
    let title = test.meta.title.as_deref().unwrap_or(&test.path);
    parts.push(format!(
        "started();\nself.META_TITLE = {};",
        serde_json::to_string(title)?
    ));
    for script in test
        .meta
        .scripts
        .iter()
        .filter(|script| !is_harness(script))
    {
        parts.push(read(test, script, site)?);
    }
    let source = if test.path.contains(".sub.") {
        substitute(&test.source, site)
    } else {
        test.source.clone()
    };
    let imports = imported(&source);
    for script in imports.iter().filter(|script| !is_harness(script)) {
        parts.push(read(test, script, site)?);
    }
    if !imports.is_empty() {
        // They are here already.
        parts.push("function importScripts() {}".into());
    }
    let objects = evaluated(&source);
    parts.push(source);
    Ok(format!(
        "{PRELUDE}\n\
         function evaluateKnown(text) {{ switch (text) {{\n{objects}}}\n\
         throw new EvalError(`not known beforehand: ${{text}}`); }}\n\
         function script(started) {{\n{}\n}}\n\
         export default {{ async fetch() {{\n\
         return Response.json(await runTest(script, {}, {}));\n}} }};\n",
        parts
            .iter()
            .map(|part| format!("{}{part}", exposed(part)))
            .collect::<Vec<_>>()
            .join("\n;\n"),
        serde_json::to_string(&page)?,
        test.patience().as_secs(),
    ))
}

/// A script's functions are the global scope's, and others find them there.
/// Those of a script begin their lines.
fn exposed(script: &str) -> String {
    let mut text = String::new();
    for line in script.lines() {
        let line = line.strip_prefix("async ").unwrap_or(line);
        let Some(rest) = line.strip_prefix("function").filter(|rest| {
            // `functional()` is a call.
            rest.starts_with([' ', '*'])
        }) else {
            continue;
        };
        let rest = rest.trim_start_matches([' ', '*']);
        let length = rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'))
            .unwrap_or(rest.len());
        if length > 0 && rest[length..].trim_start().starts_with('(') {
            let name = &rest[..length];
            // A bundle's inner functions begin their lines too.
            text.push_str(&format!(
                "if (typeof {name} === \"function\") globalThis.{name} = {name};"
            ));
        }
    }
    text
}

/// The first script a test names that is not in the checkout.
pub(crate) fn missing(test: &TestFile) -> Option<String> {
    let imports = imported(&test.source);
    let mut scripts = test.meta.scripts.iter().chain(&imports);
    scripts
        .find(|script| !is_harness(script) && !location(test, script).is_file())
        .cloned()
}

/// Where a script that a test names lies.
fn location(test: &TestFile, script: &str) -> PathBuf {
    let script = script.split('?').next().unwrap_or(script);
    // The tests' server has it under this name.
    let script = script.replace(
        "/resources/WebIDLParser.js",
        "/resources/webidl2/lib/webidl2.js",
    );
    match script.strip_prefix('/') {
        Some(absolute) => test.root.join(absolute),
        None => {
            let folder = Path::new(&test.path).parent().unwrap_or(Path::new(""));
            test.root.join(folder).join(script)
        }
    }
}

fn is_harness(script: &str) -> bool {
    script.ends_with("/testharness.js") || script.ends_with("/testharnessreport.js")
}

fn read(test: &TestFile, script: &str, site: &Site) -> Result<String> {
    let path = location(test, script);
    let bytes = std::fs::read(&path).with_context(|| format!("{}: {script}", test.path))?;
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    if script.contains(".sub.") {
        text = substitute(&text, site);
    }
    if script.ends_with("/idlharness.js") {
        text = text.replace("eval(", "evaluateKnown(");
    }
    Ok(text)
}

/// The string literals given to `importScripts`.
fn imported(source: &str) -> Vec<String> {
    let mut scripts = Vec::new();
    for call in source.split("importScripts(").skip(1) {
        let arguments = call.split(')').next().unwrap_or_default();
        scripts.extend(literals(arguments));
    }
    scripts
}

/// idlharness.js evaluates the strings that a test gives to `add_objects`: a
/// case for each.
fn evaluated(source: &str) -> String {
    let mut found = BTreeSet::new();
    for call in source.split("add_objects(").skip(1) {
        let arguments = call.split(");").next().unwrap_or_default();
        found.extend(literals(arguments));
    }
    found
        .iter()
        .map(|text| {
            let key = serde_json::to_string(text).unwrap_or_default();
            format!("case {key}: return ({text});\n")
        })
        .collect()
}

/// The string literals of some JavaScript without escapes in them.
fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(['"', '\'', '`']) {
        let quote = &rest[start..=start];
        let inside = &rest[start + 1..];
        let Some(end) = inside.find(quote) else { break };
        found.push(inside[..end].to_string());
        rest = &inside[end + 1..];
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_that_a_worker_imports_are_found() {
        assert_eq!(
            imported(
                "importScripts('/resources/testharness.js', \"a.js\");\nimportScripts(`b.js`)"
            ),
            ["/resources/testharness.js", "a.js", "b.js"]
        );
    }

    #[test]
    fn functions_of_a_script_are_found() {
        assert_eq!(
            exposed("function a() {}\nasync function b () {\n  function no() {}\n}\nfunctional(1)"),
            "if (typeof a === \"function\") globalThis.a = a;\
             if (typeof b === \"function\") globalThis.b = b;"
        );
    }

    #[test]
    fn objects_of_an_idl_test_are_known_beforehand() {
        assert_eq!(
            evaluated("idl.add_objects({ URL: ['new URL(\"a:b\")'] });"),
            "case \"new URL(\\\"a:b\\\")\": return (new URL(\"a:b\"));\n"
        );
    }
}
