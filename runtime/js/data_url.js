// fetch of a `data:` address (https://fetch.spec.whatwg.org/#data-urls).
(function () {
const { core, primordials } = __bootstrap;
const {
  RegExpPrototypeExec,
  RegExpPrototypeTest,
  SafeRegExp,
  StringPrototypeCharCodeAt,
  StringPrototypeReplace,
  StringPrototypeStartsWith,
  TypeError,
  Uint8Array,
} = primordials;
const { atob } = core.loadExtScript("ext:deno_web/05_base64.js");
const { Response } = core.loadExtScript("ext:outboard/response.js");

const DATA = new SafeRegExp("^data:([^,]*),([^#]*)");
const BASE64 = new SafeRegExp("; *base64 *$", "i");
const ESCAPE = new SafeRegExp("^%[0-9a-fA-F]{2}$");

/** The bytes of a serialised address, which is ASCII. */
function percentDecode(text) {
  const bytes = new Uint8Array(text.length);
  let length = 0;
  for (let i = 0; i < text.length; i++) {
    const three = text.slice(i, i + 3);
    if (RegExpPrototypeTest(ESCAPE, three)) {
      bytes[length++] = +`0x${three.slice(1)}`;
      i += 2;
    } else {
      bytes[length++] = StringPrototypeCharCodeAt(text, i);
    }
  }
  return bytes.subarray(0, length);
}

function fetchData(url) {
  const match = RegExpPrototypeExec(DATA, url);
  if (match === null) throw new TypeError(`Invalid data URL: ${url}`);
  let type = match[1].trim();
  let bytes = percentDecode(match[2]);
  if (RegExpPrototypeTest(BASE64, type)) {
    type = StringPrototypeReplace(type, BASE64, "");
    const text = atob(core.decode(bytes));
    bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) {
      bytes[i] = StringPrototypeCharCodeAt(text, i);
    }
  }
  if (StringPrototypeStartsWith(type, ";")) type = `text/plain${type}`;
  const { parseMimeType, serializeMimeType } = core.loadExtScript(
    "ext:deno_web/01_mimesniff.js",
  );
  const mime = parseMimeType(type);
  type = mime === null ? "text/plain;charset=US-ASCII" : serializeMimeType(mime);
  return new Response(bytes, {
    headers: [["content-type", type]],
    statusText: "OK",
  });
}

return { fetchData };
})();
