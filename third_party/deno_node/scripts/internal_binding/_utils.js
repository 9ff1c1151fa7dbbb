// ext:deno_node/internal_binding/_utils.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core, primordials } = __bootstrap;
  const {
    op_base64url_decode
  } = core.ops;
  const {
    forgivingBase64Decode
  } = core.loadExtScript("ext:deno_web/00_infra.js");
  const {
    DataView,
    DataViewPrototypeSetUint16,
    Error,
    Int8Array,
    MathMin,
    NumberPOSITIVE_INFINITY,
    NumberPrototypeToString,
    SafeRegExp,
    StringPrototypeCharCodeAt,
    StringPrototypeIndexOf,
    StringPrototypeReplace,
    StringPrototypeReplaceAll,
    StringPrototypeSubstring,
    StringPrototypeTrim,
    StringPrototypeTrimStart,
    TypedArrayPrototypeGetBuffer,
    TypedArrayPrototypeGetLength,
    TypedArrayPrototypeSubarray,
    Uint8Array
  } = primordials;
  function asciiToBytes(str) {
    const length = str.length;
    const byteArray = new Uint8Array(length);
    for (let i = 0; i < length; ++i) {
      byteArray[i] = StringPrototypeCharCodeAt(str, i) & 255;
    }
    return byteArray;
  }
  function base64ToBytes(str) {
    try {
      return forgivingBase64Decode(str);
    } catch {
      return base64CleanToBytes(str);
    }
  }
  function base64CleanToBytes(str) {
    str = StringPrototypeReplaceAll(
      StringPrototypeReplaceAll(str, "-", "+"),
      "_",
      "/"
    );
    str = base64clean(str);
    return forgivingBase64Decode(str);
  }
  const INVALID_BASE64_RE = new SafeRegExp(/[^+/0-9A-Za-z-_]/g);
  function base64clean(str) {
    const eqIndex = StringPrototypeIndexOf(str, "=");
    str = eqIndex !== -1 ? StringPrototypeTrimStart(StringPrototypeSubstring(str, 0, eqIndex)) : StringPrototypeTrim(str);
    str = StringPrototypeReplace(str, INVALID_BASE64_RE, "");
    const length = str.length;
    if (length < 2) return "";
    switch (length % 4) {
      case 0:
        return str;
      case 1:
        return StringPrototypeSubstring(str, 0, length - 1);
      case 2:
        return `${str}==`;
      case 3:
        return `${str}=`;
      default:
        throw new Error("Unexpected NaN value for string length");
    }
  }
  function base64UrlToBytes(str) {
    str = base64clean(str);
    str = StringPrototypeReplaceAll(
      StringPrototypeReplaceAll(str, "+", "-"),
      "/",
      "_"
    );
    return op_base64url_decode(str);
  }
  const unhexTable = new Int8Array([
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 0 - 15
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 16 - 31
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 32 - 47
    0,
    1,
    2,
    3,
    4,
    5,
    6,
    7,
    8,
    9,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 48 - 63
    -1,
    10,
    11,
    12,
    13,
    14,
    15,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 64 - 79
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 80 - 95
    -1,
    10,
    11,
    12,
    13,
    14,
    15,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 96 - 111
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 112 - 127
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    // 128 ...
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1,
    -1
    // ... 255
  ]);
  function hexToBytes(str) {
    const length = str.length >>> 1;
    const byteArray = new Uint8Array(length);
    let i;
    for (i = 0; i < length; i++) {
      const a = unhexTable[StringPrototypeCharCodeAt(str, i * 2) & 255];
      const b = unhexTable[StringPrototypeCharCodeAt(str, i * 2 + 1) & 255];
      if (!~a || !~b) {
        break;
      }
      byteArray[i] = a << 4 | b;
    }
    return i === length ? byteArray : TypedArrayPrototypeSubarray(byteArray, 0, i);
  }
  function bytesToHex(bytes) {
    const length = TypedArrayPrototypeGetLength(bytes);
    let out = "";
    for (let i = 0; i < length; i++) {
      const b = bytes[i];
      out += (b < 16 ? "0" : "") + NumberPrototypeToString(b, 16);
    }
    return out;
  }
  function utf16leToBytes(str, units) {
    const length = MathMin(
      str.length * 2,
      units ? (units >>> 1) * 2 : NumberPOSITIVE_INFINITY
    );
    const byteArray = new Uint8Array(length);
    const view = new DataView(TypedArrayPrototypeGetBuffer(byteArray));
    let i;
    for (i = 0; i * 2 < length; i++) {
      DataViewPrototypeSetUint16(
        view,
        i * 2,
        StringPrototypeCharCodeAt(str, i),
        true
      );
    }
    return i * 2 === length ? byteArray : TypedArrayPrototypeSubarray(byteArray, 0, i * 2);
  }
  return {
    asciiToBytes,
    base64CleanToBytes,
    base64ToBytes,
    base64UrlToBytes,
    bytesToHex,
    hexToBytes,
    utf16leToBytes,
    unhexTable
  };
})();
