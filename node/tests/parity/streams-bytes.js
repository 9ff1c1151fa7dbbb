// Streams that are made of bytes: reads into a buffer of the reader's own,
// back-pressure, what a cancelled or aborted side tells the other.
const utf8 = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);

async function settled(...promises) {
  return (await Promise.allSettled(promises)).map((result) =>
    result.status === "fulfilled"
      ? result.value ?? "done"
      : [result.reason?.name, result.reason?.message]
  );
}

const probes = {
  "byob": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const write = writable.getWriter().write(utf8("hello"));
    const first = await reader.read(new Uint8Array(2));
    const second = await reader.read(new Uint8Array(10));
    await write;
    return [text(first.value), text(second.value), second.value.buffer.byteLength];
  },
  "byob at the end": async () => {
    const { readable, writable } = new IdentityTransformStream();
    writable.getWriter().close();
    const { value, done } = await readable.getReader({ mode: "byob" }).read(new Uint8Array(10));
    return [done, value.byteLength, value.buffer.byteLength];
  },
  "readAtLeast": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    const writer = writable.getWriter();
    for (const part of ["a", "b", "c", "d"]) writer.write(utf8(part));
    writer.close();
    const reads = [];
    for (;;) {
      const { value, done } = await reader.readAtLeast(3, new Uint8Array(3));
      if (done) return reads;
      reads.push(text(value));
    }
  },
  "readAtLeast, odd": async () => {
    const { readable } = new IdentityTransformStream();
    const reader = readable.getReader({ mode: "byob" });
    return (await settled(reader.readAtLeast(0, new Uint8Array(4)), reader.readAtLeast(5, new Uint8Array(4))))
      .map((answer) => answer[0]);
  },
  "less than wanted at the end": async () => {
    const source = () => new ReadableStream({ type: "bytes", start(c) { c.enqueue(new Uint8Array([1, 2, 3])); c.close(); } });
    const reader = source().getReader({ mode: "byob" });
    const { value, done } = await reader.readAtLeast(5, new Uint8Array(8));
    const last = await reader.read(new Uint8Array(2));
    return [[...value], done, last.done, last.value.byteLength];
  },
  "tee: what a branch wants": async () => {
    const wanted = [];
    let controller;
    const source = new ReadableStream({ type: "bytes", start(c) { controller = c; } });
    const [left, right] = source.tee().map((branch) => branch.getReader({ mode: "byob" }));
    const reads = [left.readAtLeast(6, new Uint8Array(8)), right.read(new Uint8Array(8))];
    for (let n = 0; n < 2; n++) {
      const request = controller.byobRequest;
      wanted.push(request.atLeast, request.view.byteLength);
      request.view.fill(n + 1);
      request.respond(3);
      await scheduler.wait(1);
    }
    return [wanted, ...(await Promise.all(reads)).map(({ value }) => [...value])];
  },
  "tee: a branch that is cancelled": async () => {
    let controller;
    const source = new ReadableStream({ type: "bytes", start(c) { controller = c; } });
    const [left, right] = source.tee().map((branch) => branch.getReader({ mode: "byob" }));
    const reads = [left.read(new Uint8Array(8)), right.read(new Uint8Array(8))];
    const request = controller.byobRequest;
    request.view[0] = 65;
    await left.cancel("done");
    request.respond(1);
    const [one, other] = await Promise.all(reads);
    return [one.done, [...other.value]];
  },
  "high water mark": async () => {
    const { readable, writable } = new IdentityTransformStream({ highWaterMark: 10 });
    const writer = writable.getWriter();
    const sizes = [writer.desiredSize];
    writer.write(new Uint8Array(4));
    sizes.push(writer.desiredSize);
    writer.write(new Uint8Array(6));
    sizes.push(writer.desiredSize);
    const reader = readable.getReader();
    await reader.read();
    await reader.read();
    sizes.push(writer.desiredSize);
    return sizes;
  },
  "cancelled": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    const write = writer.write(utf8("a"));
    const close = writer.close();
    await readable.cancel(new RangeError("enough"));
    return settled(write, close);
  },
  "aborted": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const read = readable.getReader().read();
    writable.abort(new RangeError("enough"));
    return settled(read);
  },
  "a view that changes later": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const bytes = utf8("abc");
    const writer = writable.getWriter();
    writer.write(bytes);
    writer.write(bytes);
    bytes.buffer.transfer();
    const reader = readable.getReader();
    return [text((await reader.read()).value), text((await reader.read()).value)];
  },
  "compression without a reader": async () => {
    const { readable, writable } = new CompressionStream("gzip");
    const writer = writable.getWriter();
    await writer.write(utf8("hello".repeat(100)));
    await writer.close();
    return new Response(readable.pipeThrough(new DecompressionStream("gzip"))).text();
  },
  "trailing bytes": async () => {
    const packed = new Uint8Array(
      await new Response(new Response("x").body.pipeThrough(new CompressionStream("gzip"))).arrayBuffer(),
    );
    const longer = new Uint8Array(packed.length + 1);
    longer.set(packed);
    const { writable } = new DecompressionStream("gzip");
    return settled(writable.getWriter().write(longer));
  },
  "a byte source's request": async () => {
    const stream = new ReadableStream({
      type: "bytes",
      pull(controller) {
        const { byobRequest } = controller;
        new TextEncoder().encodeInto("hello", byobRequest.view);
        byobRequest.respond(5);
        controller.close();
      },
    });
    return new Response(stream).text();
  },
  "branches are cancelled alone": async () => {
    const [one, two] = new ReadableStream({ pull: (controller) => controller.enqueue("a") }).tee();
    await one.cancel("first");
    return (await two.getReader().read()).value;
  },
  "a start that throws": async () => {
    const broken = { start() { throw new RangeError("no"); } };
    const writer = new WritableStream(broken).getWriter();
    const { readable } = new TransformStream(broken);
    return settled(writer.write("a"), readable.getReader().read());
  },
  "digests": async () => {
    const digests = [];
    for (const algorithm of ["md5", "SHA-256", "crc32", "crc32c", "crc64nvme"]) {
      const stream = new crypto.DigestStream(algorithm);
      const writer = stream.getWriter();
      await writer.write(utf8("hello "));
      await writer.write("world");
      await writer.close();
      digests.push([algorithm, `${stream.bytesWritten}`, [...new Uint8Array(await stream.digest)].join(" ")]);
    }
    return digests;
  },
  "digests, odd": async () => {
    const stream = new crypto.DigestStream("SHA-1");
    const answers = await settled(stream.getWriter().write(1));
    try {
      new crypto.DigestStream("none");
    } catch (error) {
      answers.push(error.name);
    }
    return answers;
  },
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
      answer = JSON.stringify(await probe());
    } catch (error) {
      answer = `${error?.name}: ${error?.message}`;
    }
    lines += `${name}: ${answer}\n`;
  }
  return new Response(lines);
}
