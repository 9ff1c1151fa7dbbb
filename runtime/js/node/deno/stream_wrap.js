// ext:deno_node/internal_binding/stream_wrap.ts
// Streams of a host's, which workers do not have.
(function () {
return { kLastWriteWasAsync: 0, streamBaseState: [0] };
})();
