/* requests: [{}] */
// atob, btoa and the Uint8Array methods for base64 and hex.

const probes = {
  "btoa": () => [btoa(""), btoa("a"), btoa("ab"), btoa("abc"), btoa("\u00ff\u0000")],
  "btoa above Latin-1": () => btoa("☃"),
  "btoa makes strings": () => [btoa(1), btoa(null), btoa(undefined)],
  "atob": () => [atob(""), atob("YQ=="), atob("YWI="), atob("YWJj"), atob("/wA=").charCodeAt(0)],
  "atob without padding": () => [atob("YQ"), atob("YWI")],
  "atob with spaces": () => atob(" Y W\n\tJ j "),
  "atob with one character": () => atob("Y"),
  "atob with a bad character": () => atob("Y*=="),
  "atob with too much padding": () => atob("YWJj=="),
  "atob url-safe": () => atob("_w-_"),
  "atob error": () => {
    try {
      atob("*");
    } catch (error) {
      return [error.constructor.name, error.name, error.code, error instanceof Error];
    }
  },
  "no arguments": () => btoa(),
  "Uint8Array.fromBase64": () => typeof Uint8Array.fromBase64 === "function" ? [...Uint8Array.fromBase64("YWJj")] : "absent",
  "toHex": () => typeof Uint8Array.prototype.toHex === "function" ? new Uint8Array([1, 255]).toHex() : "absent",
};

export default {
  async fetch() {
    return report(probes);
  },
};

// One line a probe: its value, or what it threw.
async function report(probes) {
  let lines = "";
  for (const [name, probe] of Object.entries(probes)) {
    let answer;
    try {
      answer = (await probe()) ?? null;
    } catch (error) {
      answer = { threw: error.name, message: error.message };
    }
    lines += `${name}: ${JSON.stringify(answer)}\n`;
  }
  return new Response(lines);
}
