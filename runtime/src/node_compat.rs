//! How much of Node a worker sees, by its compatibility date and flags.

/// The date from which `nodejs_compat` means all of it.
const V2: &str = "2024-09-23";

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NodeCompat {
    /// No module of Node's.
    #[default]
    Off,
    /// `node:async_hooks` alone (`nodejs_als`).
    AsyncHooks,
    /// The modules, by names with `node:`.
    Modules,
    /// The modules, also by bare names, and Node's globals.
    Full,
}

impl NodeCompat {
    /// `date` is written `2026-04-01`.
    pub fn new<S: AsRef<str>>(date: &str, flags: &[S]) -> Self {
        let has = |name: &str| flags.iter().any(|flag| flag.as_ref() == name);
        let modules = has("nodejs_compat");
        let full = has("nodejs_compat_v2") || (modules && date >= V2);
        if full && !has("no_nodejs_compat_v2") {
            Self::Full
        } else if modules {
            Self::Modules
        } else if has("nodejs_als") {
            Self::AsyncHooks
        } else {
            Self::Off
        }
    }

    /// The module that a specifier means, among those there are.
    pub(crate) fn module<'a>(self, specifier: &str, modules: &[&'a str]) -> Option<&'a str> {
        let named = specifier.starts_with("node:");
        let name = specifier.strip_prefix("node:").unwrap_or(specifier);
        let allowed = match self {
            Self::Off => false,
            Self::AsyncHooks => specifier == "node:async_hooks",
            Self::Modules => named,
            Self::Full => true,
        };
        let mut modules = modules.iter().copied();
        modules.find(|module| allowed && module.strip_prefix("node:") == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::NodeCompat::{self, AsyncHooks, Full, Modules, Off};

    #[test]
    fn date_and_flags_decide() {
        let check = |date, flags: &[&str], expected| {
            assert_eq!(NodeCompat::new(date, flags), expected, "{date} {flags:?}");
        };
        check("2026-01-01", &[], Off);
        check("2026-01-01", &["nodejs_als"], AsyncHooks);
        check("2024-09-22", &["nodejs_compat"], Modules);
        check("2024-09-23", &["nodejs_compat"], Full);
        check("2023-01-01", &["nodejs_compat_v2"], Full);
        check(
            "2026-01-01",
            &["nodejs_compat", "no_nodejs_compat_v2"],
            Modules,
        );
    }

    #[test]
    fn names_mean_what_is_allowed() {
        let modules = ["node:async_hooks", "node:fs"];
        let check = |compat: NodeCompat, name, expected: Option<&str>| {
            assert_eq!(compat.module(name, &modules), expected, "{compat:?} {name}");
        };
        check(Off, "node:fs", None);
        check(AsyncHooks, "node:async_hooks", Some("node:async_hooks"));
        check(AsyncHooks, "node:fs", None);
        check(Modules, "node:fs", Some("node:fs"));
        check(Modules, "fs", None);
        check(Full, "fs", Some("node:fs"));
        check(Full, "node:vm", None);
    }
}
