//! What a script sees of a stack: its own frames, by its files' names. To it the
//! runtime's scripts are what the engine's own code is.

use deno_core::error::prepare_stack_trace_callback;
use deno_core::v8;

use crate::worker::BASE;

/// What `error.stack` is, made when a script first looks.
pub(super) fn prepare<'s>(
    scope: &mut v8::PinScope<'s, '_>,
    error: v8::Local<'s, v8::Value>,
    sites: v8::Local<'s, v8::Array>,
) -> v8::Local<'s, v8::Value> {
    let mut shown = Vec::with_capacity(sites.length() as usize);
    for index in 0..sites.length() {
        let site = sites.get_index(scope, index);
        shown.extend(site.filter(|site| !is_runtimes(scope, *site)));
    }
    let shown = v8::Array::new_with_elements(scope, &shown);
    let stack = prepare_stack_trace_callback(scope, error, shown);
    let Ok(text) = v8::Local::<v8::String>::try_from(stack) else {
        return stack;
    };
    named(&text.to_rust_string_lossy(scope))
        .and_then(|text| v8::String::new(scope, &text))
        .map_or(stack, Into::into)
}

/// Whether a call is of one of the runtime's scripts.
fn is_runtimes<'s>(scope: &mut v8::PinScope<'s, '_>, site: v8::Local<'s, v8::Value>) -> bool {
    v8::tc_scope!(let scope, scope);
    let file = || {
        let site = v8::Local::<v8::Object>::try_from(site).ok()?;
        let name = v8::String::new(scope, "getFileName")?;
        let method = site.get(scope, name.into())?;
        let method = v8::Local::<v8::Function>::try_from(method).ok()?;
        let file = method.call(scope, site.into(), &[])?;
        v8::Local::<v8::String>::try_from(file).ok()
    };
    file().is_some_and(|file| file.to_rust_string_lossy(scope).starts_with("ext:"))
}

/// The same stack with files by the names that the worker has for them; None where it
/// has nothing else.
fn named(stack: &str) -> Option<String> {
    if !stack.contains(BASE) {
        return None;
    }
    let mut text = String::with_capacity(stack.len());
    for line in stack.split_inclusive('\n') {
        if line.starts_with("    at ") {
            text += &line.replace(BASE, "");
        } else {
            text += line;
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::named;

    #[test]
    fn frames_have_the_names_of_files_and_messages_are_let_be() {
        let stack = "Error: worker:///a.js\n    at f (worker:///a.js:1:2)\n    at <anonymous>";
        let expected = "Error: worker:///a.js\n    at f (a.js:1:2)\n    at <anonymous>";
        assert_eq!(named(stack).as_deref(), Some(expected));
        assert_eq!(named("Error: b\n    at f (b.js:1:2)"), None);
    }
}
