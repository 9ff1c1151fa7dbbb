//! Which rule a file falls under.

use crate::{ModuleRule, RuleType};

/// The configured rules and wrangler's defaults, with fallthrough settled.
#[derive(Debug)]
pub(super) struct RuleSet {
    active: Vec<ModuleRule>,
    /// Rules behind one of their type that does not fall through.
    shadowed: Vec<ModuleRule>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Matched<'a> {
    Rule(RuleType),
    Shadowed(&'a ModuleRule),
    Nothing,
}

impl RuleSet {
    pub(super) fn new(configured: &[ModuleRule]) -> Self {
        let mut set = Self {
            active: Vec::new(),
            shadowed: Vec::new(),
        };
        for rule in configured.iter().cloned().chain(defaults()) {
            let complete = set
                .active
                .iter()
                .any(|earlier| earlier.kind == rule.kind && !earlier.fallthrough);
            if complete {
                set.shadowed.push(rule);
            } else {
                set.active.push(rule);
            }
        }
        set
    }

    /// The first rule that one of the names falls under: a file may be known
    /// by the specifier that imports it and by its path.
    pub(super) fn matching(&self, names: &[&str]) -> Matched<'_> {
        let covers = |rule: &&ModuleRule| {
            rule.globs
                .iter()
                .any(|glob| names.iter().any(|name| covers(glob, name)))
        };
        if let Some(rule) = self.active.iter().find(covers) {
            return Matched::Rule(rule.kind);
        }
        match self.shadowed.iter().find(covers) {
            Some(rule) => Matched::Shadowed(rule),
            None => Matched::Nothing,
        }
    }
}

fn defaults() -> impl Iterator<Item = ModuleRule> {
    let rules: [(RuleType, &[&str]); 3] = [
        (RuleType::Text, &["**/*.txt", "**/*.html", "**/*.sql"]),
        (RuleType::Data, &["**/*.bin"]),
        (RuleType::CompiledWasm, &["**/*.wasm", "**/*.wasm?module"]),
    ];
    rules.into_iter().map(|(kind, globs)| ModuleRule {
        kind,
        globs: globs.iter().map(|glob| (*glob).to_owned()).collect(),
        fallthrough: false,
    })
}

/// A glob without a slash is about the file's name, wherever the file is.
fn covers(glob: &str, name: &str) -> bool {
    let glob = glob.strip_prefix("./").unwrap_or(glob);
    let mut name = name;
    while let Some(rest) = name.strip_prefix("./").or_else(|| name.strip_prefix("../")) {
        name = rest;
    }
    if !glob.contains('/') {
        name = name.rsplit('/').next().unwrap_or(name);
    }
    fast_glob::glob_match(glob, name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(kind: RuleType, glob: &str, fallthrough: bool) -> ModuleRule {
        ModuleRule {
            kind,
            globs: vec![glob.to_owned()],
            fallthrough,
        }
    }

    #[test]
    fn defaults_are_wranglers() {
        let set = RuleSet::new(&[]);
        let check = |name, expected| assert_eq!(set.matching(&[name]), expected, "{name}");
        check("./a.wasm", Matched::Rule(RuleType::CompiledWasm));
        check("a.wasm?module", Matched::Rule(RuleType::CompiledWasm));
        check("../../x/a.txt", Matched::Rule(RuleType::Text));
        check("pkg/a.html", Matched::Rule(RuleType::Text));
        check("./schema.sql", Matched::Rule(RuleType::Text));
        check("./a.bin", Matched::Rule(RuleType::Data));
        check("./a.ts", Matched::Nothing);
        check("./wasm", Matched::Nothing);
    }

    #[test]
    fn a_rule_ends_its_type_unless_it_falls_through() {
        let only = rule(RuleType::Text, "**/*.md", false);
        let set = RuleSet::new(std::slice::from_ref(&only));
        assert_eq!(set.matching(&["./a.md"]), Matched::Rule(RuleType::Text));
        assert!(matches!(set.matching(&["./a.txt"]), Matched::Shadowed(_)));
        assert_eq!(set.matching(&["./a.bin"]), Matched::Rule(RuleType::Data));

        let set = RuleSet::new(&[rule(RuleType::Text, "**/*.md", true)]);
        assert_eq!(set.matching(&["./a.txt"]), Matched::Rule(RuleType::Text));
    }

    #[test]
    fn globs_cover_names() {
        let check =
            |glob, name, expected| assert_eq!(covers(glob, name), expected, "{glob} {name}");
        check("*.md", "./docs/a.md", true);
        check("data/*.json", "./data/a.json", true);
        check("./data/*.json", "data/a.json", true);
        check("data/*.json", "./data/deep/a.json", false);
        check("**/*.{md,mdx}", "a.mdx", true);
        check("[", "a", false);
        check("", "a", false);
    }
}
