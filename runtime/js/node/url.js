// node:url, whose functions look at how many arguments they get.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectAssign } = primordials;
const library = core.loadExtScript("ext:deno_node/url.ts");
const { codes } = core.loadExtScript("ext:outboard/node/errors.js");

const withDomain = (name) =>
  ({
    [name](domain) {
      if (arguments.length < 1) throw new codes.ERR_MISSING_ARGS("domain");
      return library[name](`${domain}`);
    },
  })[name];

return {
  exports: ObjectAssign({}, library, {
    domainToASCII: withDomain("domainToASCII"),
    domainToUnicode: withDomain("domainToUnicode"),
  }),
};
})();
