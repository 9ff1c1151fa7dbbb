// How message ports close, and what they refuse.
import assert from "node:assert";

export const bothPortsHearOfTheEnd = {
  test() {
    const { port1, port2 } = new MessageChannel();
    const heard = [];
    port1.onclose = () => { heard.push("first"); };
    port2.addEventListener("close", (event) => { heard.push(event.type); });
    port1.close();
    port1.close();
    port2.close();
    assert.deepStrictEqual(heard, ["close", "first"]);
  },
};

export const aClosedPortHearsNothing = {
  async test() {
    const { port1, port2 } = new MessageChannel();
    port2.close();
    port2.onmessage = port1.onmessage = () => assert.fail("a message");
    port1.postMessage(1);
    port2.postMessage(1);
    await scheduler.wait(1);
  },
};

export const nothingIsTransferred = {
  async test() {
    const { port1, port2 } = new MessageChannel();
    const refused = { name: "Error", message: "Transfer list is not supported" };
    for (const list of [[1], [new ArrayBuffer(1)]]) {
      assert.throws(() => port1.postMessage(1, list), refused);
      assert.throws(() => port1.postMessage(1, { transfer: list }), refused);
    }
    port1.postMessage(1, []);
    port1.postMessage(2, { transfer: [] });
    const heard = [];
    await new Promise((resolve) => {
      port2.onmessage = ({ data }) => {
        heard.push(data);
        if (heard.length === 2) resolve();
      };
    });
    assert.deepStrictEqual(heard, [1, 2]);
  },
};
