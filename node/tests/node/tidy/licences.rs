//! Every crate that is linked has a licence that deny.toml allows.

use std::collections::HashSet;
use std::process::Command;

use serde_json::Value;

use super::{read, refuse, root};

/// What deny.toml allows all crates, and some.
struct Allowed {
    all: HashSet<String>,
    exceptions: Vec<(String, HashSet<String>)>,
}

impl Allowed {
    fn read() -> Self {
        let deny: toml::Table = read("deny.toml").parse().expect("deny.toml is TOML");
        let list = |value: &toml::Value| -> HashSet<String> {
            let items = value.as_array().expect("a list of licences");
            items
                .iter()
                .filter_map(toml::Value::as_str)
                .map(str::to_string)
                .collect()
        };
        let exceptions = deny["licenses"]["exceptions"].as_array();
        Self {
            all: list(&deny["licenses"]["allow"]),
            exceptions: exceptions
                .into_iter()
                .flatten()
                .map(|entry| {
                    let name = entry["crate"].as_str().expect("a crate's name");
                    (name.to_string(), list(&entry["allow"]))
                })
                .collect(),
        }
    }

    fn allows(&self, name: &str, licence: &str) -> bool {
        let exceptions = self.exceptions.iter().filter(|(other, _)| other == name);
        self.all.contains(licence)
            || exceptions
                .into_iter()
                .any(|(_, list)| list.contains(licence))
    }
}

/// Whether an SPDX expression is satisfied: `OR` below `AND` below parentheses.
fn satisfied(expression: &str, allows: &dyn Fn(&str) -> bool) -> bool {
    // Before SPDX a slash meant OR.
    let spaced = expression
        .replace('/', " OR ")
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace(" WITH ", "_WITH_");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let result = any_of(&mut rest, allows);
    result && rest.is_empty()
}

fn any_of(words: &mut &[&str], allows: &dyn Fn(&str) -> bool) -> bool {
    let mut result = all_of(words, allows);
    while let [first, rest @ ..] = *words
        && *first == "OR"
    {
        *words = rest;
        result |= all_of(words, allows);
    }
    result
}

fn all_of(words: &mut &[&str], allows: &dyn Fn(&str) -> bool) -> bool {
    let mut result = one(words, allows);
    while let [first, rest @ ..] = *words
        && *first == "AND"
    {
        *words = rest;
        result &= one(words, allows);
    }
    result
}

fn one(words: &mut &[&str], allows: &dyn Fn(&str) -> bool) -> bool {
    let [first, rest @ ..] = *words else {
        return false;
    };
    *words = rest;
    if *first != "(" {
        return allows(&first.replace("_WITH_", " WITH "));
    }
    let result = any_of(words, allows);
    match *words {
        [")", rest @ ..] => {
            *words = rest;
            result
        }
        _ => false,
    }
}

#[test]
fn expressions_are_read_as_spdx_has_them() {
    let check = |expression: &str, expected: bool| {
        let allows = |licence: &str| matches!(licence, "MIT" | "ISC");
        assert_eq!(satisfied(expression, &allows), expected, "{expression}");
    };
    check("MIT", true);
    check("GPL-2.0-only OR MIT", true);
    check("GPL-2.0-only/MIT", true);
    check("GPL-2.0-only AND MIT", false);
    check("MIT AND (GPL-2.0-only OR ISC)", true);
    check("(MIT OR GPL-2.0-only) AND GPL-2.0-only", false);
    check("Apache-2.0 WITH LLVM-exception", false);
    check("(MIT", false);
    check("", false);
}

#[test]
fn every_licence_is_allowed() {
    let version = Command::new("rustc")
        .arg("-vV")
        .output()
        .expect("rustc runs");
    let version = String::from_utf8_lossy(&version.stdout).into_owned();
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked"])
        // Crates of other platforms may not be here.
        .args(["--filter-platform", host.expect("rustc names its host")])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo metadata: {error}");
    let metadata: Value = serde_json::from_slice(&output.stdout).expect("cargo writes JSON");
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let linked: HashSet<String> = list(&metadata["resolve"]["nodes"])
        .iter()
        .filter_map(|node| node["id"].as_str().map(str::to_string))
        .collect();
    assert!(linked.len() > 100, "cargo metadata names all crates");
    let allowed = Allowed::read();
    let faults: Vec<_> = list(&metadata["packages"])
        .iter()
        .filter(|package| package["id"].as_str().is_some_and(|id| linked.contains(id)))
        .filter_map(|package| {
            let name = package["name"].as_str().unwrap_or_default();
            let licence = package["license"].as_str().unwrap_or_default();
            let fine = satisfied(licence, &|licence| allowed.allows(name, licence));
            (!fine).then(|| format!("{name} {}: {licence:?}", package["version"]))
        })
        .collect();
    refuse(&faults, "a licence that deny.toml does not allow");
}
