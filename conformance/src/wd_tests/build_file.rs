//! How workerd's own build runs a test: the `wd_test` rules of a `BUILD.bazel`.

use std::path::Path;

/// What a rule says beyond its defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    /// Not run with the newest date and so with all flags' newest behaviour.
    pub(crate) oldest_only: bool,
    /// A date of its own.
    pub(crate) date: Option<String>,
    /// A server in Node beside it: its script, and the variables that its ports
    /// are passed in.
    pub(crate) sidecar: Option<Sidecar>,
    /// Run without `--predictable`, which is what gives scripts `gc()`.
    pub(crate) unpredictable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sidecar {
    pub(crate) script: String,
    pub(crate) ports: Vec<String>,
}

/// The rules of a folder.
pub(crate) struct BuildFile(String);

impl BuildFile {
    /// Of a folder without one: no rules.
    pub(crate) fn read(folder: &Path) -> Self {
        Self(std::fs::read_to_string(folder.join("BUILD.bazel")).unwrap_or_default())
    }

    /// What the rule for a configuration says; the default where there is none.
    pub(crate) fn rule(&self, file: &str) -> Rule {
        let Some(rule) = blocks(&self.0, "wd_test(").find(|rule| text(rule, "src") == Some(file))
        else {
            return Rule::default();
        };
        let sidecar = text(rule, "sidecar").and_then(|name| {
            let binary =
                blocks(&self.0, "js_binary(").find(|rule| text(rule, "name") == Some(name))?;
            Some(Sidecar {
                script: text(binary, "entry_point")?.to_string(),
                ports: texts(rule, "sidecar_port_bindings"),
            })
        });
        Rule {
            oldest_only: rule.contains("generate_all_compat_flags_variant = False"),
            date: text(rule, "compat_date").map(str::to_string),
            sidecar,
            unpredictable: rule.contains("predictable = False"),
        }
    }
}

/// The calls of one function; each ends where a line begins with `)`.
fn blocks<'a>(source: &'a str, call: &'a str) -> impl Iterator<Item = &'a str> {
    source
        .match_indices(call)
        .filter(|(at, _)| *at == 0 || source[..*at].ends_with('\n'))
        .map(|(at, _)| {
            let rest = &source[at..];
            &rest[..rest.find("\n)").unwrap_or(rest.len())]
        })
}

/// The value of `key = "value"`.
fn text<'a>(rule: &'a str, key: &str) -> Option<&'a str> {
    let start = format!("\n    {key} = \"");
    let at = rule.find(&start)? + start.len();
    let rest = &rule[at..];
    Some(&rest[..rest.find('"')?])
}

/// The values of `key = ["one", "two"]`.
fn texts(rule: &str, key: &str) -> Vec<String> {
    let start = format!("\n    {key} = [");
    let Some(at) = rule.find(&start) else {
        return Vec::new();
    };
    let list = &rule[at + start.len()..];
    let list = &list[..list.find(']').unwrap_or(list.len())];
    list.split('"')
        .skip(1)
        .step_by(2)
        .map(str::to_string)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_found_by_its_source() {
        let file = BuildFile(
            r#"
wd_test(
    src = "a.wd-test",
    args = ["--experimental"],
)

js_binary(
    name = "server",
    entry_point = "server.js",
)

wd_test(
    src = "b.wd-test",
    compat_date = "2026-01-01",
    generate_all_compat_flags_variant = False,
    predictable = False,
    sidecar = "server",
    sidecar_port_bindings = [
        "ONE",
        "TWO",
    ],
)
"#
            .into(),
        );
        assert_eq!(file.rule("a.wd-test"), Rule::default());
        assert_eq!(file.rule("c.wd-test"), Rule::default());
        let expected = Rule {
            oldest_only: true,
            date: Some("2026-01-01".into()),
            sidecar: Some(Sidecar {
                script: "server.js".into(),
                ports: vec!["ONE".into(), "TWO".into()],
            }),
            unpredictable: true,
        };
        assert_eq!(file.rule("b.wd-test"), expected);
    }
}
