//! Which folders are about APIs that Workers offer, and which tests in them a
//! worker cannot run.

/// A folder of tests, with what a reader is told it is about.
pub(crate) struct Area {
    pub(crate) folder: &'static str,
    pub(crate) title: &'static str,
}

const fn area(folder: &'static str, title: &'static str) -> Area {
    Area { folder, title }
}

pub(crate) const AREAS: &[Area] = &[
    area("FileAPI/blob", "Blob"),
    area("FileAPI/file", "File"),
    area("WebCryptoAPI", "Web Crypto"),
    area("compression", "Compression"),
    area("console", "console"),
    area("dom/abort", "AbortController"),
    area("dom/events", "Events"),
    area("encoding", "Encoding"),
    area("eventsource", "EventSource"),
    area("fetch/api", "Fetch"),
    area("fetch/content-encoding", "Fetch: content encoding"),
    area("fetch/content-length", "Fetch: content length"),
    area("fetch/data-urls", "Fetch: data URLs"),
    area("hr-time", "High resolution time"),
    area("html/webappapis/atob", "atob, btoa"),
    area("html/webappapis/microtask-queuing", "queueMicrotask"),
    area("html/webappapis/scripting", "reportError"),
    area("html/webappapis/structured-clone", "structuredClone"),
    area(
        "html/webappapis/the-windoworworkerglobalscope-mixin",
        "The global scope",
    ),
    area("html/webappapis/timers", "Timers"),
    area("performance-timeline", "Performance timeline"),
    area("streams", "Streams"),
    area("url", "URL"),
    area("urlpattern", "URLPattern"),
    area("user-timing", "User timing"),
    area("wasm/jsapi", "WebAssembly"),
    area("webidl", "Web IDL"),
    area("webmessaging/message-channels", "MessageChannel"),
    area("websockets", "WebSocket"),
    area("xhr/formdata", "FormData"),
];

pub(crate) fn area_of(path: &str) -> Option<&'static Area> {
    AREAS.iter().find(|area| {
        path.strip_prefix(area.folder)
            .is_some_and(|rest| rest.starts_with('/'))
    })
}

/// Parts of paths whose tests are skipped, and why.
const PATHS: &[(&str, &str)] = &[
    (".tentative.", "tentative: in no standard yet"),
    ("/tentative/", "tentative: in no standard yet"),
    ("fetch/api/cors/", "a browser's rule: origins of pages"),
    (
        "fetch/api/credentials/",
        "a browser's rule: cookies of pages",
    ),
    ("fetch/api/policies/", "a browser's rule: policies of pages"),
    ("/crashtests/", "a browser's crash"),
    ("fetch/api/request/request-cache", "a browser's HTTP cache"),
    (".h2.", "needs a server of HTTP/2"),
    ("448", "Ed448 and X448 are no algorithms of Workers"),
    (
        "streams/readable-streams/owning-type-video-frame",
        "needs WebCodecs",
    ),
    (
        "performance-timeline/not-restored-reasons/",
        "a browser's rule: history of pages",
    ),
    ("wasm/jsapi/gc/", "Wasm from bytes is refused"),
    ("wasm/jsapi/js-string/", "Wasm from bytes is refused"),
    ("wasm/jsapi/jspi/", "Wasm from bytes is refused"),
];

/// Words of a test that need what no worker has, and what that is.
const WORDS: &[(&str, &str)] = &[
    ("document.", "needs a document"),
    ("iframe", "needs a document"),
    ("createElement", "needs a document"),
    ("window.", "needs a window"),
    ("new Worker(", "starts workers"),
    ("new SharedWorker(", "starts workers"),
    ("navigator.serviceWorker", "starts service workers"),
    ("service_worker_unregister", "starts service workers"),
    ("XMLHttpRequest", "needs XMLHttpRequest"),
    ("createObjectURL", "needs object URLs"),
    ("FileReader", "needs FileReader"),
    ("BroadcastChannel", "needs BroadcastChannel"),
    ("new ShadowRealm", "needs ShadowRealm"),
    (
        "PerformanceObserver.supportedEntryTypes.includes(\"longtask\")",
        "needs a window",
    ),
    ("WasmModuleBuilder", "Wasm from bytes is refused"),
    ("createWasmModule", "Wasm from bytes is refused"),
    ("WebAssembly.compile(", "Wasm from bytes is refused"),
    ("WebAssembly.instantiate(", "Wasm from bytes is refused"),
    ("new WebAssembly.Module(", "Wasm from bytes is refused"),
    ("WebAssembly.validate(", "Wasm from bytes is refused"),
    ("RTCPeerConnection", "needs WebRTC"),
    ("test_driver", "drives a browser"),
];

/// Folders whose standard is done, whatever their tests are called.
const SETTLED: &[&str] = &["compression/"];

/// Variants that need what the tests' server is not started with.
const VARIANTS: &[(&str, &str)] = &[
    ("wss", "needs a server of TLS"),
    ("wpt_flags=h2", "needs a server of HTTP/2"),
];

/// Why a variant of a test cannot run.
pub(crate) fn skip_variant(variant: &str) -> Option<&'static str> {
    let found = VARIANTS.iter().find(|(part, _)| variant.contains(part));
    found.map(|(_, reason)| *reason)
}

/// Why a test is none for a worker, from its path and its own text (without
/// the scripts it names).
pub(crate) fn skip_reason(path: &str, source: &str) -> Option<&'static str> {
    let settled = SETTLED.iter().any(|folder| path.starts_with(folder));
    PATHS
        .iter()
        .find(|(part, _)| path.contains(part) && !(settled && part.contains("tentative")))
        .or_else(|| WORDS.iter().find(|(word, _)| source.contains(word)))
        .map(|(_, reason)| *reason)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_whole_names() {
        let folder = |path| area_of(path).map(|area| area.folder);
        assert_eq!(folder("url/a.any.js"), Some("url"));
        assert_eq!(folder("urlpattern/a.any.js"), Some("urlpattern"));
        assert_eq!(folder("fetch/metadata/a.any.js"), None);
    }

    #[test]
    fn a_skipped_test_says_why() {
        assert_eq!(
            skip_reason("url/a.window.js", "document.body"),
            Some("needs a document")
        );
        assert_eq!(
            skip_reason("url/a.tentative.any.js", ""),
            Some("tentative: in no standard yet")
        );
        assert_eq!(skip_reason("url/a.any.js", "new URL('a:b')"), None);
    }
}
