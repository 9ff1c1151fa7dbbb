// ext:deno_node/internal/errors/error_source.ts
(function () {
// A worker's source is a bundle: a line of it would say little.
return { getErrorSourceExpression: () => undefined };
})();
