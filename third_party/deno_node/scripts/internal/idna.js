// ext:deno_node/internal/idna.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  "use strict";
  const { core, primordials } = __bootstrap;
  const {
    op_node_idna_to_ascii,
    op_node_idna_domain_to_ascii,
    op_node_idna_domain_to_unicode
  } = core.ops;
  const {
    ArrayPrototypePush,
    SafeArrayIterator,
    StringFromCodePoint,
    StringPrototypeCharCodeAt
  } = primordials;
  function ucs2decode(str) {
    const output = [];
    let counter = 0;
    const length = str.length;
    while (counter < length) {
      const value = StringPrototypeCharCodeAt(str, counter++);
      if (value >= 55296 && value <= 56319 && counter < length) {
        const extra = StringPrototypeCharCodeAt(str, counter++);
        if ((extra & 64512) == 56320) {
          ArrayPrototypePush(
            output,
            ((value & 1023) << 10) + (extra & 1023) + 65536
          );
        } else {
          ArrayPrototypePush(output, value);
          counter--;
        }
      } else {
        ArrayPrototypePush(output, value);
      }
    }
    return output;
  }
  function ucs2encode(array) {
    return StringFromCodePoint(...new SafeArrayIterator(array));
  }
  const ucs2 = {
    decode: ucs2decode,
    encode: ucs2encode
  };
  function toASCII(domain) {
    return op_node_idna_to_ascii(domain);
  }
  function domainToASCII(domain) {
    return op_node_idna_domain_to_ascii(domain);
  }
  function domainToUnicode(domain) {
    return op_node_idna_domain_to_unicode(domain);
  }
  return {
    toASCII,
    domainToASCII,
    domainToUnicode,
    ucs2
  };
})();
