// navigator, as Workers have it.
(function () {
const { core, primordials } = __bootstrap;
const { ObjectDefineProperty, PromisePrototypeThen, SymbolToStringTag } =
  primordials;
const { flag, has } = core.loadExtScript("ext:outboard/compatibility.js");
const { fetch } = core.loadExtScript("ext:outboard/fetch.js");
const { requireEvent } = core.loadExtScript("ext:outboard/event.js");

class Navigator {
  /** Sends `body` without keeping the answer waiting; the event outlives it. */
  sendBeacon(url, body = undefined) {
    let event;
    try {
      event = requireEvent();
    } catch {
      // Nobody would wait for it.
      return false;
    }
    const sent = fetch(`${url}`, { method: "POST", body });
    event.waitUntil(PromisePrototypeThen(sent, (response) => {
      response.body?.cancel();
    }));
    return true;
  }
}
ObjectDefineProperty(Navigator.prototype, SymbolToStringTag, {
  __proto__: null,
  value: "Navigator",
  configurable: true,
});

const navigator = new Navigator();
const fields = {
  __proto__: null,
  userAgent: "Cloudflare-Workers",
  hardwareConcurrency: 1,
};
if (has(flag.enable_navigator_language)) {
  fields.language = "en";
  fields.languages = ["en"];
}
for (const name in fields) {
  ObjectDefineProperty(navigator, name, {
    __proto__: null,
    value: fields[name],
    enumerable: true,
    configurable: true,
  });
}

return { Navigator, navigator };
})();
