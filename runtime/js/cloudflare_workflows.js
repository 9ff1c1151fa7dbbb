// `cloudflare:workflows`: the error by which a step asks not to be tried again.
// Nothing runs workflows yet; packages name the class.
(function () {
const { primordials } = __bootstrap;
const { Error } = primordials;

class NonRetryableError extends Error {
  constructor(message, name = "NonRetryableError") {
    super(message);
    this.name = name;
  }
}

return { NonRetryableError };
})();
