//! A worker's compatibility flags, for `js/compatibility.js`.

use deno_core::{OpState, op2, v8};
use outboard_compatibility::FLAGS;

use super::Shared;
use std::rc::Rc;

/// Writes the flags' bits; a ready isolate has none.
#[op2(fast)]
pub(crate) fn op_compatibility_bits(state: &mut OpState, #[buffer] bits: &mut [u8]) {
    if let Some(worker) = state.borrow::<Rc<Shared>>().worker() {
        for (to, from) in bits.iter_mut().zip(worker.compatibility.bytes()) {
            *to = from;
        }
    }
}

/// `[name, whether it is on, …]`.
#[op2]
pub(crate) fn op_compatibility_flags<'a>(
    scope: &mut v8::PinScope<'a, '_>,
    state: &mut OpState,
) -> v8::Local<'a, v8::Array> {
    let worker = state.borrow::<Rc<Shared>>().worker();
    let mut list: Vec<v8::Local<v8::Value>> = Vec::with_capacity(FLAGS.len() * 2);
    for info in FLAGS {
        let name = v8::String::new(scope, info.enable);
        let on = worker
            .as_ref()
            .is_some_and(|worker| worker.compatibility.has(info.flag));
        list.push(name.unwrap_or_else(|| v8::String::empty(scope)).into());
        list.push(v8::Boolean::new(scope, on).into());
    }
    v8::Array::new_with_elements(scope, &list)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::fs;
    use std::path::{Path, PathBuf};

    fn scripts(folder: &Path) -> Vec<PathBuf> {
        let entries = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().path());
        entries
            .flat_map(|path| match path.is_dir() {
                true => scripts(&path),
                false => vec![path],
            })
            .collect()
    }

    /// `  name: number,` of the table in the script.
    #[test]
    fn the_script_numbers_flags_as_the_table_does() {
        let script = include_str!("../../js/compatibility.js");
        let table = script.split("__proto__: null,").nth(1).unwrap();
        let mut known = HashSet::new();
        for line in table.lines().skip(1).take_while(|line| line.trim() != "};") {
            let (name, number) = line.trim().trim_end_matches(',').split_once(": ").unwrap();
            let name = name.trim_matches('"');
            let (info, on) = outboard_compatibility::find(name).expect(name);
            assert!(on, "{name}");
            assert_eq!(number.parse::<u16>(), Ok(info.flag as u16), "{name}");
            known.insert(name);
        }
        assert!(!known.is_empty());
        for path in scripts(Path::new("js")) {
            let script = fs::read_to_string(&path).unwrap();
            for rest in script.split("has(flag.").skip(1) {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = &rest[..end.unwrap_or(rest.len())];
                // NAME stands for any in a comment.
                assert!(
                    name == "NAME" || known.contains(name),
                    "{}: flag.{name} is not in the table",
                    path.display()
                );
            }
        }
    }
}
