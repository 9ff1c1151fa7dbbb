// `cloudflare:email`: a message to be sent. No binding here sends any; packages name
// the class.
(function () {
const { primordials } = __bootstrap;
const { ObjectDefineProperty, SymbolToStringTag, TypeError } = primordials;

class EmailMessage {
  #from;
  #to;
  #raw;

  /** @param {ReadableStream | string} raw */
  constructor(from, to, raw) {
    if (arguments.length < 3) {
      throw new TypeError("EmailMessage takes a sender, a recipient and a message.");
    }
    this.#from = `${from}`;
    this.#to = `${to}`;
    this.#raw = raw;
  }

  get from() {
    return this.#from;
  }

  get to() {
    return this.#to;
  }

  get raw() {
    return this.#raw;
  }
}
ObjectDefineProperty(EmailMessage.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "EmailMessage",
  configurable: true,
});

return { EmailMessage };
})();
