// RFC 5869 over any hash that has an HMAC, for those that the host's own has not.
(function () {
const { core, primordials } = __bootstrap;
const { MathMin, TypedArrayPrototypeSet, TypedArrayPrototypeSubarray, Uint8Array } =
  primordials;

/** Fills `output` from a key. */
function expand(hash, key, salt, info, output) {
  const { Hmac } = core.loadExtScript("ext:deno_node/internal/crypto/hash.ts");
  const extracted = Hmac(hash, salt).update(key.export()).digest();
  let block = new Uint8Array();
  const counter = new Uint8Array(1);
  for (let at = 0; at < output.length; at += block.length) {
    counter[0]++;
    block = Hmac(hash, extracted).update(block).update(info).update(counter).digest();
    const part = MathMin(block.length, output.length - at);
    TypedArrayPrototypeSet(output, TypedArrayPrototypeSubarray(block, 0, part), at);
  }
}

return { expand };
})();
