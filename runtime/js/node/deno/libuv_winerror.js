// ext:deno_node/internal_binding/_libuv_winerror.ts
(function () {
return { uvTranslateSysError: (number) => number };
})();
