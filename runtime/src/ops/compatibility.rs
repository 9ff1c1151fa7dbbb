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
    /// `  name: number,` of the table in the script.
    #[test]
    fn the_script_numbers_flags_as_the_table_does() {
        let script = include_str!("../../js/compatibility.js");
        let table = script.split("__proto__: null,").nth(1).unwrap();
        let mut lines = 0;
        for line in table.lines().skip(1).take_while(|line| line.trim() != "};") {
            let (name, number) = line.trim().trim_end_matches(',').split_once(": ").unwrap();
            let name = name.trim_matches('"');
            let (info, on) = outboard_compatibility::find(name).expect(name);
            assert!(on, "{name}");
            assert_eq!(number.parse::<u16>(), Ok(info.flag as u16), "{name}");
            lines += 1;
        }
        assert!(lines > 0);
    }
}
