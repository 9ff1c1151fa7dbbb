// Keys as node:crypto's scripts make and use them: what the host says of a key
// that it cannot read, or not sign with, is said as Workers say it.
(function () {
const { core } = __bootstrap;
const { Error, ReflectApply } = __bootstrap.primordials;
const { ops } = core;

function parsed(make, kind) {
  return function () {
    try {
      return ReflectApply(make, undefined, arguments);
    } catch (cause) {
      throw new Error(`Failed to parse ${kind} key`, { cause });
    }
  };
}

/** Refuses the kinds of keys that `Sign` and `Verify` do not work with. */
function checkSigning(handle, doing) {
  const type = ops.op_node_get_asymmetric_key_type(handle);
  if (type === "dsa") {
    throw new Error(`${doing} with DSA keys is not currently supported`);
  }
  if (type === "ed25519" || type === "ed448") {
    throw new Error(
      doing === "Signing"
        ? "Failed to set signature digest"
        : "Unsupported operation for this key",
    );
  }
}

return {
  __proto__: ops,
  checkSigning,
  op_node_create_private_key: parsed(ops.op_node_create_private_key, "private"),
  op_node_create_public_key: parsed(ops.op_node_create_public_key, "public"),
};
})();
