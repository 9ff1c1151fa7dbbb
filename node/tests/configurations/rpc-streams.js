// Streams that are passed in calls carry bytes, whatever they are made of.
import assert from "node:assert";
import { WorkerEntrypoint } from "cloudflare:workers";

const bytes = (text) => new TextEncoder().encode(text);

/** A stream of these chunks. */
function from(...chunks) {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

const CHUNKS = {
  text: () => "text",
  bytes: () => bytes("bytes"),
  buffer: () => bytes("buffer").buffer,
  part: () => bytes("a part of it").subarray(2, 6),
  wide: () => new Uint16Array([0x4241, 0x4443]),
  view: () => new DataView(bytes("a view").buffer, 2),
};
const READ = { text: "text", bytes: "bytes", buffer: "buffer", part: "part", wide: "ABCD", view: "view" };

export class Other extends WorkerEntrypoint {
  give(kind) {
    return from(CHUNKS[kind]());
  }
  giveObject() {
    return from({ no: "bytes" });
  }
  async take(stream) {
    return new Response(stream).text();
  }
  async write(stream, kind) {
    const writer = stream.getWriter();
    await writer.write(CHUNKS[kind]());
    await writer.close();
  }
  async writeOdd(stream) {
    const writer = stream.getWriter();
    const refused = [];
    for (const odd of [5, { no: "bytes" }]) {
      await writer.write(odd).catch((error) => refused.push(`${error}`));
    }
    await writer.write(undefined);
    await writer.write(new Uint8Array(0));
    await writer.write("last");
    await writer.close();
    return refused;
  }
  async abort(stream) {
    await stream.getWriter().abort(new RangeError("mine to know"));
  }
  async cancel(stream) {
    const reader = stream.getReader();
    await reader.read();
    await reader.cancel(new RangeError("mine to know"));
  }
  async lock(stream) {
    return stream.locked;
  }
}

/** A stream of the script's, and what is written to it. */
function sink() {
  const seen = [];
  const ended = Promise.withResolvers();
  const stream = new WritableStream({
    write(chunk) {
      seen.push(chunk);
    },
    close() {
      ended.resolve("closed");
    },
    abort(error) {
      ended.resolve(error);
    },
  });
  return { stream, seen, ended: ended.promise };
}

export const reads = {
  async test(controller, { OTHER }) {
    for (const kind of Object.keys(CHUNKS)) {
      assert.equal(await new Response(await OTHER.give(kind)).text(), READ[kind]);
      assert.equal(await OTHER.take(from(CHUNKS[kind]())), READ[kind]);
    }
    const cut = { message: "ReadableStream received over RPC disconnected prematurely." };
    await assert.rejects(new Response(await OTHER.giveObject()).text(), cut);
    await assert.rejects(OTHER.take(from({ no: "bytes" })), cut);
  },
};

export const writes = {
  async test(controller, { OTHER }) {
    for (const kind of Object.keys(CHUNKS)) {
      const { stream, seen, ended } = sink();
      await OTHER.write(stream, kind);
      assert.equal(await ended, "closed");
      assert.equal(seen.length, 1);
      assert(seen[0] instanceof ArrayBuffer);
      assert.equal(new TextDecoder().decode(seen[0]), READ[kind]);
    }
    const { readable, writable } = new IdentityTransformStream();
    const read = new Response(readable).text();
    await OTHER.write(writable, "part");
    assert.equal(await read, "part");
  },
};

export const odd = {
  async test(controller, { OTHER }) {
    const { stream, seen, ended } = sink();
    const refused =
      "TypeError: This TransformStream is being used as a byte stream, but received an object " +
      "of non-ArrayBuffer/ArrayBufferView type on its writable side.";
    assert.deepEqual(await OTHER.writeOdd(stream), [refused, refused]);
    assert.equal(await ended, "closed");
    assert.deepEqual(seen.map((chunk) => new TextDecoder().decode(chunk)), ["last"]);
  },
};

/** The reasons of one side are not told to the other. */
export const ends = {
  async test(controller, { OTHER }) {
    const { stream, ended } = sink();
    await OTHER.abort(stream);
    const { message, retryable } = await ended;
    assert.equal(
      message,
      "WritableStream received over RPC was disconnected because the remote execution context " +
        "has ended.",
    );
    assert.equal(retryable, true);
    const cancelled = Promise.withResolvers();
    const source = new ReadableStream({
      start(controller) {
        controller.enqueue(bytes("one"));
      },
      cancel: cancelled.resolve,
    });
    await OTHER.cancel(source);
    const error = await cancelled.promise;
    assert.equal(
      error.message,
      "ReadableStream sent over RPC was canceled or released by the remote execution context.",
    );
    assert.equal(error.retryable, true);
    const locked = new TransformStream();
    locked.readable.getReader();
    locked.writable.getWriter();
    await assert.rejects(async () => OTHER.lock(locked.readable), {
      message: "The ReadableStream has been locked to a reader.",
    });
    await assert.rejects(async () => OTHER.lock(locked.writable), {
      message: "This WritableStream is currently locked to a writer.",
    });
  },
};
