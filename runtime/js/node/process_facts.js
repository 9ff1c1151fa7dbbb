// What process tells of the build it runs in: the values Workers give, which
// packages look at to choose their code.
(function () {
const { primordials } = __bootstrap;
const { ObjectFreeze, SafeArrayIterator } = primordials;

/** The version that packages should take this for. */
const NODE = "22.19.0";

const versions = { node: NODE };
for (
  const name of new SafeArrayIterator([
    "v8",
    "modules",
    "zlib",
    "brotli",
    "zstd",
    "ares",
    "napi",
    "llhttp",
    "nghttp2",
    "acorn",
    "ada",
    "simdutf",
    "nbytes",
    "ncrypto",
    "uvwasi",
    "uv",
    "openssl",
    "sqlite",
    "icu",
    "undici",
    "simdjson",
    "unicode",
    "cldr",
    "tz",
    "cjs_module_lexer",
    "amaro",
    "merve",
  ])
) {
  versions[name] = "";
}

const features = ObjectFreeze({
  cached_builtins: true,
  debug: false,
  inspector: false,
  ipv6: true,
  openssl_is_boringssl: true,
  require_module: false,
  tls: true,
  tls_alpn: true,
  tls_ocsp: true,
  tls_sni: true,
  typescript: false,
  uv: true,
});

const config = ObjectFreeze({
  target_defaults: ObjectFreeze({ default_configuration: "Release" }),
  variables: ObjectFreeze({
    host_arch: "x64",
    is_debug: 0,
    napi_build_version: "9",
    node_byteorder: "little",
    node_module_version: 127,
    node_prefix: "/usr/local",
    node_shared: false,
    node_use_openssl: true,
    openssl_is_fips: false,
    shlib_suffix: "so",
    target_arch: "x64",
    v8_enable_i18n_support: 1,
    v8_enable_webassembly: 1,
  }),
});

return { config, features, NODE, versions };
})();
