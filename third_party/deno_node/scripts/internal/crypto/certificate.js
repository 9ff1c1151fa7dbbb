// ext:deno_node/internal/crypto/certificate.ts
// From deno_node 0.198.0, MIT: see ../LICENSE.md. Written by refresh.mjs.
(function() {
  const { core } = __bootstrap;
  const {
    op_node_cert_export_challenge,
    op_node_cert_export_public_key,
    op_node_verify_spkac
  } = core.ops;
  const { Buffer } = core.loadExtScript("ext:deno_node/internal/buffer.mjs");
  const { getArrayBufferOrView } = core.loadExtScript(
    "ext:deno_node/internal/crypto/keys.ts"
  );
  function verifySpkac(spkac, encoding) {
    return op_node_verify_spkac(
      getArrayBufferOrView(spkac, "spkac", encoding)
    );
  }
  function exportPublicKey(spkac, encoding) {
    const publicKey = op_node_cert_export_public_key(
      getArrayBufferOrView(spkac, "spkac", encoding)
    );
    return publicKey ? Buffer.from(publicKey) : "";
  }
  function exportChallenge(spkac, encoding) {
    const challenge = op_node_cert_export_challenge(
      getArrayBufferOrView(spkac, "spkac", encoding)
    );
    return challenge ? Buffer.from(challenge) : "";
  }
  function Certificate() {
    if (!(this instanceof Certificate)) {
      return new Certificate();
    }
  }
  Certificate.prototype.verifySpkac = verifySpkac;
  Certificate.prototype.exportPublicKey = exportPublicKey;
  Certificate.prototype.exportChallenge = exportChallenge;
  Certificate.exportChallenge = exportChallenge;
  Certificate.exportPublicKey = exportPublicKey;
  Certificate.verifySpkac = verifySpkac;
  return { Certificate, default: Certificate };
})();
