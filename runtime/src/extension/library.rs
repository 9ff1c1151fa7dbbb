//! Where the libraries' scripts are made to behave, and to speak, as Workers do.
//!
//! deno_web follows the standards' letter and its own wording; code written for
//! Workers looks at theirs. These are replacements in its sources, made while
//! the snapshot is built: they cost nothing at run time, and the test below
//! fails for one whose text is gone after an upgrade.

mod ports;
mod streams;

/// One replacement, of every occurrence.
pub(super) struct Patch {
    /// The script it is made in; none: in each that has the text.
    script: Option<&'static str>,
    from: &'static str,
    to: &'static str,
}

pub(super) const fn patch(script: &'static str, from: &'static str, to: &'static str) -> Patch {
    Patch {
        script: Some(script),
        from,
        to,
    }
}

pub(super) const fn patch_all(from: &'static str, to: &'static str) -> Patch {
    Patch {
        script: None,
        from,
        to,
    }
}

impl Patch {
    fn is_for(&self, script: &str) -> bool {
        self.script.is_none_or(|own| own == script)
    }
}

const ABORT: &str = "ext:deno_web/03_abort_signal.js";
const BASE64: &str = "ext:deno_web/05_base64.js";
const BLOB: &str = "ext:deno_web/09_file.js";
const ENCODING: &str = "ext:deno_web/08_text_encoding.js";
const EVENT: &str = "ext:deno_web/02_event.js";
const PERFORMANCE: &str = "ext:deno_web/15_performance.js";
const STREAMS: &str = "ext:deno_web/06_streams.js";
const URL: &str = "ext:deno_web/00_url.js";
const URL_PATTERN: &str = "ext:deno_web/01_urlpattern.js";
const WEBIDL: &str = "ext:deno_webidl/00_webidl.js";

const PATCHES: &[Patch] = &[
    // What scripts load at once but only need when a value is printed or cloned.
    // Loading it later keeps the console, events and message ports out of every
    // isolate that only wants a URL.
    patch_all(
        "const { createFilteredInspectProxy } = core.loadExtScript(\n  \"ext:deno_web/01_console.js\",\n);",
        "const createFilteredInspectProxy = (options) =>\n  core.loadExtScript(\"ext:deno_web/01_console.js\")\n    .createFilteredInspectProxy(options);",
    ),
    patch_all(
        "const { markNotSerializable } = core.loadExtScript(\n  \"ext:deno_web/13_message_port.js\",\n);",
        "const { markNotSerializable } = core.loadExtScript(\n  \"ext:outboard/not_serializable.js\",\n);",
    ),
    patch(
        ABORT,
        "The signal has been aborted",
        "The operation was aborted",
    ),
    // A timer of the event's, so that it counts as something under way, and
    // cannot be set outside of one. The signal does not know it: it would give
    // it to the engine's timers to hold and release.
    patch(
        ABORT,
        "signal[timerId] = core.createSystemTimer(",
        "core.loadExtScript(\"ext:outboard/timers.js\").setTimeout(",
    ),
    patch(ABORT, "        core.cancelTimer(signal[timerId]);\n", ""),
    patch(
        ABORT,
        "      millis,\n      false, // start unrefed (like Node.js)\n",
        "      millis,\n",
    ),
    patch(
        BASE64,
        "\"Failed to decode base64: invalid character\"",
        "\"atob() called with invalid base64-encoded data. (Only whitespace, '+', '/', alphanumeric ASCII, and up to two terminal '=' signs when the input data length is divisible by 4 are allowed.)\"",
    ),
    patch(
        BASE64,
        "ObjectPrototypeIsPrototypeOf(TypeErrorPrototype, e)",
        "e",
    ),
    patch(
        BASE64,
        "Cannot encode string: string contains characters outside of the Latin1 range",
        "btoa() can only operate on characters in the Latin1 (ISO/IEC 8859-1) range.",
    ),
    patch(
        BLOB,
        "return {\n  Blob,\n",
        "/** The values of a header, between the commas that no quotes hold. */\nfunction splitList(text) {\n  const values = [];\n  let quoted = false;\n  let start = 0;\n  for (let i = 0; i < text.length; i++) {\n    if (text[i] === '\"' && text[i - 1] !== \"\\\\\") quoted = !quoted;\n    else if (text[i] === \",\" && !quoted) {\n      ArrayPrototypePush(values, StringPrototypeSlice(text, start, i));\n      start = i + 1;\n    }\n  }\n  ArrayPrototypePush(values, StringPrototypeSlice(text, start));\n  return values;\n}\n\nfunction blobOfType(bytes, type) {\n  const { extractMimeType, serializeMimeType } = core.loadExtScript(\n    \"ext:deno_web/01_mimesniff.js\",\n  );\n  const blob = new Blob([bytes]);\n  const mime = extractMimeType(splitList(type));\n  if (mime !== null) blob[_type] = serializeMimeType(mime);\n  return blob;\n}\n\nreturn {\n  Blob,\n  blobOfType,\n",
    ),
    patch(
        BASE64,
        "  webidl.requiredArguments(arguments.length, 1, prefix);",
        "  if (arguments.length === 0) {\n    throw new TypeError(\n      `${prefix} on 'ServiceWorkerGlobalScope': parameter 1 is not of type 'String'.`,\n    );\n  }",
    ),
    patch(
        BLOB,
        "    const element = parts[i];\n    if (isArrayBuffer(element)) {",
        "    const element = parts[i];\n    const buffer = isArrayBuffer(element)\n      ? element\n      : ArrayBufferIsView(element) ? element.buffer : undefined;\n    if (buffer !== undefined && buffer.resizable) {\n      const { flag, has } = core.loadExtScript(\"ext:outboard/compatibility.js\");\n      if (has(flag.no_resizable_array_buffer_in_blob)) {\n        throw new TypeError(\"Cannot create a Blob with a resizable ArrayBuffer\");\n      }\n    }\n    if (isArrayBuffer(element)) {",
    ),
    patch(
        BLOB,
        "  return { parts: processedParts, size };",
        "  if (size > 134_217_728) {\n    throw new primordials.RangeError(`Blob size ${size} exceeds limit 134217728`);\n  }\n  return { parts: processedParts, size };",
    ),
    // A small blob is one chunk, whatever it was made from.
    patch(
        BLOB,
        "    const partIterator = toIterator(this[_parts]);\n    const stream",
        "    const whole = async function* (blob) {\n      yield await blob.#u8Array(blob[_size]);\n    };\n    const partIterator = this[_parts].length > 1 && this[_size] <= 65_536\n      ? whole(this)\n      : toIterator(this[_parts]);\n    const stream",
    ),
    patch(
        BLOB,
        "          \"name\",\n          \"size\",\n",
        "          \"name\",\n          \"lastModified\",\n          \"size\",\n",
    ),
    patch(
        ENCODING,
        "      return op_encoding_decode(input, this.#handle, stream);\n    } finally {",
        "      return op_encoding_decode(input, this.#handle, stream);\n    } catch (error) {\n      this.#handle = null;\n      throw this.#fatal ? new TypeError(\"Failed to decode input.\") : error;\n    } finally {",
    ),
    patch(
        ENCODING,
        "        encoding = op_encoding_normalize_label(label);\n      } catch (err) {",
        "        encoding = op_encoding_normalize_label(label);\n      } catch (err) {\n        err.message = `\"${label}\" is not a valid encoding.`;",
    ),
    patch(
        EVENT,
        "    this.#code = code;\n    this.#reason = reason;\n",
        "    this.#code = code;\n    this.#reason = primordials.StringPrototypeToWellFormed(`${reason}`);\n",
    ),
    // A listener that throws stops a dispatch of the script's own; where the
    // runtime dispatches, it is reported.
    patch(
        EVENT,
        "    } catch (error) {\n      reportException(error);\n    }\n\n    setInPassiveListener(eventImpl, false);",
        "    } catch (error) {\n      if (!eventImpl.isTrusted) throw error;\n      reportException(error);\n    }\n\n    setInPassiveListener(eventImpl, false);",
    ),
    patch(
        EVENT,
        "  } catch (error) {\n    reportException(error);\n  }\n}\n\n// https://dom.spec.whatwg.org/#dom-eventtarget-removeeventlistener",
        "  } catch (error) {\n    setDispatched(eventImpl, false);\n    setEventPhase(eventImpl, Event.NONE);\n    setCurrentTarget(eventImpl, null);\n    throw error;\n  }\n}\n\n// https://dom.spec.whatwg.org/#dom-eventtarget-removeeventlistener",
    ),
    patch(
        EVENT,
        "    webidl.requiredArguments(\n      arguments.length,\n      1,\n      \"Failed to construct 'Event'\",\n    );",
        "    if (arguments.length === 0) {\n      throw new TypeError(\n        \"Failed to construct 'Event': constructor parameter 1 is not of type 'string'.\",\n      );\n    }",
    ),
    patch(
        EVENT,
        "    webidl.requiredArguments(\n      arguments.length,\n      1,\n      \"Failed to execute 'dispatchEvent' on 'EventTarget'\",\n    );",
        "    if (!ObjectPrototypeIsPrototypeOf(Event.prototype, event)) {\n      throw new TypeError(\n        \"Failed to execute 'dispatchEvent' on 'EventTarget': parameter 1 is not of type 'Event'.\",\n      );\n    }",
    ),
    patch(
        EVENT,
        "    options = addEventListenerOptionsConverter(options, prefix);\n\n    if (callback === null) {",
        "    options = addEventListenerOptionsConverter(options, prefix);\n    if (typeof callback !== \"function\" && typeof callback !== \"object\") {\n      throw new TypeError(\n        `${prefix}: parameter 2 is not of type 'function or HandlerObject'.`,\n      );\n    }\n\n    if (callback === null) {",
    ),
    patch(
        EVENT,
        "function reportException(error) {\n",
        "function reportException(error) {\n  return core.loadExtScript(\"ext:outboard/report.js\").reportException(error);\n}\n\nfunction unusedReportException(error) {\n",
    ),
    // One clock for all, which stands still while script runs.
    patch(
        PERFORMANCE,
        "  op_now(hrU8);\n  return hr[0] * 1000 + hr[1] / 1e6;\n",
        "  return core.loadExtScript(\"ext:outboard/performance.js\").now();\n",
    ),
    patch(
        PERFORMANCE,
        "      detail: this.detail,\n    };",
        "      ...(this.detail === null ? {} : { detail: this.detail }),\n    };",
    ),
    patch(PERFORMANCE, "    return timeOrigin;\n", "    return 0;\n"),
    patch(
        STREAMS,
        "if (readableStreamDefaultControllerCanCloseOrEnqueue(this) === false) {\n      throw new TypeError(\"The stream controller cannot close or enqueue\");\n    }\n    readableStreamDefaultControllerClose(this);",
        "if (readableStreamDefaultControllerCanCloseOrEnqueue(this) === false) {\n      throw new TypeError(\"This ReadableStream is closed.\");\n    }\n    readableStreamDefaultControllerClose(this);",
    ),
    patch(
        STREAMS,
        "The stream controller cannot close or enqueue",
        "Unable to enqueue",
    ),
    patch(
        STREAMS,
        "ReadableByteStreamController's stream is not in a readable state",
        "This ReadableStream is closed.",
    ),
    patch(
        STREAMS,
        "Closed already requested.",
        "This ReadableStream is closed.",
    ),
    patch(
        STREAMS,
        "\"ReadableStream is locked\"",
        "\"This ReadableStream is currently locked to a reader.\"",
    ),
    patch(
        STREAMS,
        "ReadableStream is already locked\"",
        "This ReadableStream is currently locked to a reader.\"",
    ),
    patch(
        STREAMS,
        "\"ReadableStream is already locked.\"",
        "\"This ReadableStream is currently locked to a reader.\"",
    ),
    patch(
        STREAMS,
        "Cannot cancel a locked ReadableStream.",
        "This ReadableStream is currently locked to a reader.",
    ),
    patch(
        STREAMS,
        "Reader has no associated stream.",
        "This ReadableStream reader has been released.",
    ),
    patch(
        STREAMS,
        "The reader was released.",
        "This ReadableStream reader has been released.",
    ),
    patch(
        STREAMS,
        "Cannot use a BYOB reader with a non-byte stream",
        "This ReadableStream does not support BYOB reads.",
    ),
    patch(
        STREAMS,
        "\"view must have non-zero byteLength\"",
        "'You must call read() on a \"byob\" reader with a positive-sized TypedArray object.'",
    ),
    patch(
        STREAMS,
        "The stream is closing or is closed.",
        "This WritableStream has been closed.",
    ),
    patch(
        STREAMS,
        "The stream is already locked",
        "This WritableStream is currently locked to a writer.",
    ),
    patch(
        STREAMS,
        "Target WritableStream is already locked",
        "This WritableStream is currently locked to a writer.",
    ),
    patch(
        STREAMS,
        "destination WritableStream is already locked.",
        "This WritableStream is currently locked to a writer.",
    ),
    patch(
        STREAMS,
        "\"Cannot convert value to Uint8Array while consuming the stream\"",
        "\"This ReadableStream did not return bytes.\"",
    ),
    patch(
        STREAMS,
        "      throw webidl.makeException(\n        TypeError,\n        \"Length must be non-zero\",\n        prefix,\n        arg1,\n      );",
        "      throw new TypeError(\"Cannot enqueue a zero-length ArrayBuffer.\");",
    ),
    // An answer's stream may give text, which is sent as UTF-8.
    patch(
        STREAMS,
        "async function readableStreamWriteChunkFn(reader, sink, chunk) {\n",
        "async function readableStreamWriteChunkFn(reader, sink, chunk) {\n  if (typeof chunk === \"string\") chunk = core.encode(chunk);\n  else if (isAnyArrayBuffer(chunk)) chunk = new Uint8Array(chunk);\n",
    ),
    // The source gets the last branch's reason.
    patch(
        STREAMS,
        "const compositeReason = [reason1, reason2];",
        "const compositeReason = reason;",
    ),
    patch(
        STREAMS,
        "    const underlyingSourceDict = underlyingSource !== undefined\n      ? webidl.converters.UnderlyingSource(",
        "    const type = underlyingSource?.type;\n    if (type !== undefined && `${type}` !== \"bytes\" && `${type}` !== \"\") {\n      throw new TypeError(`\"${type}\" is not a valid type of ReadableStream.`);\n    }\n    const underlyingSourceDict = underlyingSource !== undefined\n      ? webidl.converters.UnderlyingSource(",
    ),
    patch(
        STREAMS,
        "    const prefix = \"Failed to execute 'getReader' on 'ReadableStream'\";\n",
        "    const prefix = \"Failed to execute 'getReader' on 'ReadableStream'\";\n    const mode = options?.mode;\n    if (mode !== undefined && `${mode}` !== \"byob\") {\n      throw new TypeError(\"mode must be undefined or 'byob' in call to getReader().\");\n    }\n",
    ),
    patch(
        STREAMS,
        "    const arg1 = \"Argument 1\";\n    chunk = webidl.converters.ArrayBufferView(chunk, prefix, arg1);",
        "    if (isAnyArrayBuffer(chunk)) chunk = new Uint8Array(chunk);\n    if (!ArrayBufferIsView(chunk)) {\n      throw new TypeError(`${prefix}: parameter 1 is not of type 'BufferSource'.`);\n    }",
    ),
    patch(
        STREAMS,
        "      throw webidl.makeException(\n        TypeError,\n        \"Buffer length must be non-zero\",\n        prefix,\n        arg1,\n      );",
        "      throw new TypeError(\"Cannot enqueue a zero-length ArrayBuffer.\");",
    ),
    patch(
        STREAMS,
        "    const prefix = \"Failed to construct 'ReadableStreamDefaultReader'\";\n    webidl.requiredArguments(arguments.length, 1, prefix);\n",
        "    const prefix = \"Failed to construct 'ReadableStreamDefaultReader'\";\n    if (!isReadableStream(stream)) {\n      throw new TypeError(`${prefix}: constructor parameter 1 is not of type 'ReadableStream'.`);\n    }\n",
    ),
    patch(
        STREAMS,
        "    webidl.assertBranded(this, ReadableStreamDefaultControllerPrototype);\n    return readableStreamDefaultControllerGetDesiredSize(this);",
        "    webidl.assertBranded(this, ReadableStreamDefaultControllerPrototype);\n    if (this[_closeRequested] && this[_stream][_state] !== \"errored\") return 0;\n    return readableStreamDefaultControllerGetDesiredSize(this);",
    ),
    // A source whose start() throws makes a stream that fails, not a throw.
    patch(
        STREAMS,
        "    readableStreamDefaultControllerError(controller, error);\n  const startResult = startAlgorithm(controller);",
        "    readableStreamDefaultControllerError(controller, error);\n  let startResult;\n  try {\n    startResult = startAlgorithm(controller);\n  } catch (error) {\n    readableStreamDefaultControllerError(controller, error);\n  }",
    ),
    // Closing also ends a read that waits with its own buffer.
    patch(
        STREAMS,
        "    readableByteStreamControllerClose(this);\n  }\n",
        "    readableByteStreamControllerClose(this);\n    PromisePrototypeThen(PromiseResolve(undefined), () => {\n      if (this[_stream][_state] === \"closed\" && this[_pendingPullIntos].size !== 0) {\n        readableByteStreamControllerRespond(this, 0);\n      }\n    });\n  }\n",
    ),
    // Both halves of a body of known length have that length.
    patch(
        STREAMS,
        "    return readableStreamTee(this, false);\n",
        "    if (isReadableStreamLocked(this)) {\n      throw new TypeError(\"This ReadableStream is currently locked to a reader,\");\n    }\n    checkOwner(this);\n    const branches = readableStreamTee(this, false);\n    const lengths = core.loadExtScript(\"ext:outboard/body.js\");\n    const length = lengths.streamLength(this);\n    if (length !== null) {\n      lengths.setStreamLength(branches[0], length);\n      lengths.setStreamLength(branches[1], length);\n    }\n    return branches;\n",
    ),
    patch(
        URL,
        "    throw new TypeError(\n      `Invalid URL: '${href}'` +\n        (maybeBase ? ` with base '${maybeBase}'` : \"\"),\n    );",
        "    throw new TypeError(\"Invalid URL string.\");",
    ),
    patch(
        URL,
        "    const status = opUrlParse(value);\n    this.#serialization = getSerialization(status, value);",
        "    const status = opUrlParse(value);\n    if (status > 1) {\n      throw new TypeError(\n        \"Failed to set the 'href' property on 'URL': the provided value is not of type 'valid URL string'.\",\n      );\n    }\n    this.#serialization = getSerialization(status, value);",
    ),
    patch(
        URL,
        "Each query pair must be an iterable [name, value] tuple",
        "Invalid URL search params sequence.",
    ),
    // What a script hangs on an object by a symbol is no parameter.
    patch(
        URL,
        "        const key = allKeys[i];\n",
        "        const key = allKeys[i];\n        if (typeof key === \"symbol\") continue;\n",
    ),
    // An argument of another type.
    patch(
        WEBIDL,
        "  const err = new ErrorType(\n    `${prefix ? prefix + \": \" : \"\"}${context ? context : \"Value\"} ${message}`,\n  );",
        r#"  const err = new ErrorType(
    wrongArgument(message, prefix, context) ??
      `${prefix ? prefix + ": " : ""}${context ? context : "Value"} ${message}`,
  );"#,
    ),
    patch(
        WEBIDL,
        "function makeException(ErrorType, message, prefix, context, code = undefined) {",
        r#"const ARGUMENT = new SafeRegExp("^Argument ([0-9]+)$");
const OF_TYPE = new SafeRegExp("^is not of type '?([A-Za-z0-9]+)'?\.?$");
const TYPES = {
  __proto__: null,
  "can not be converted to sequence.": "Array",
  "is not an Uint8Array object": "Uint8Array",
  "is not a view on an ArrayBuffer or SharedArrayBuffer": "ArrayBufferView",
  "is not an ArrayBuffer, SharedArrayBuffer, or a view on one": "BufferSource",
};

/** As Workers say that an argument is of another type; undefined of anything else. */
function wrongArgument(message, prefix, context) {
  if (typeof context !== "string" || !prefix) return undefined;
  const place = RegExpPrototypeExec(ARGUMENT, context);
  if (place === null) return undefined;
  const type = TYPES[message] ?? RegExpPrototypeExec(OF_TYPE, message)?.[1];
  if (type === undefined) return undefined;
  const kind = StringPrototypeStartsWith(prefix, "Failed to construct")
    ? "constructor parameter"
    : "parameter";
  return `${prefix}: ${kind} ${place[1]} is not of type '${type}'.`;
}

function makeException(ErrorType, message, prefix, context, code = undefined) {"#,
    ),
    patch(
        WEBIDL,
        "  RegExpPrototypeTest,\n",
        "  RegExpPrototypeExec,\n  RegExpPrototypeTest,\n",
    ),
    patch(
        WEBIDL,
        "  StringPrototypeCharCodeAt,\n",
        "  StringPrototypeCharCodeAt,\n  StringPrototypeStartsWith,\n",
    ),
    // Bytes of a buffer that was given away are none.
    patch(
        BLOB,
        "    if (buffer !== undefined && buffer.resizable) {",
        "    if (buffer !== undefined && buffer.detached) continue;\n    if (buffer !== undefined && buffer.resizable) {",
    ),
    // The dictionary that a script gets is an ordinary object.
    patch(
        URL_PATTERN,
        "ObjectAssign(ObjectCreate(null), input)",
        "ObjectAssign({}, input)",
    ),
    patch(
        URL_PATTERN,
        "    const parsed = op_urlpattern_parse(input, baseURL, options);",
        "    let parsed;\n    try {\n      parsed = op_urlpattern_parse(input, baseURL, options);\n    } catch {\n      throw new TypeError(\"Failed to construct URLPattern\");\n    }",
    ),
];

fn patches() -> impl Iterator<Item = &'static Patch> {
    PATCHES
        .iter()
        .chain(ports::PATCHES)
        .chain(streams::PATCHES)
        .chain(super::node::PATCHES)
        .chain(super::node::crypto::PATCHES)
        .chain(super::node::deferred::ASSERTS)
        .chain(super::node::deferred::PATCHES)
}

/// A script of the library's as Workers have it.
pub(super) fn patched(script: &str, source: &str) -> String {
    patches()
        .filter(|patch| patch.is_for(script))
        .fold(source.to_string(), |source, patch| {
            source.replace(patch.from, patch.to)
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each is looked for in what the ones before it left, as when it is used.
    #[test]
    fn what_is_replaced_is_still_there() {
        let mut found = vec![false; patches().count()];
        let mut files = super::super::node::scripts();
        for extension in super::super::extensions() {
            files.extend(extension.lazy_loaded_js_files.into_owned());
        }
        for file in files {
            let mut source = file.load().expect("a script").as_str().to_string();
            for (patch, found) in patches().zip(&mut found) {
                if patch.is_for(file.specifier) {
                    *found |= source.contains(patch.from);
                    source = source.replace(patch.from, patch.to);
                }
            }
        }
        for (patch, found) in patches().zip(found) {
            assert!(found, "{:?}: {}", patch.script, patch.from);
        }
    }
}
