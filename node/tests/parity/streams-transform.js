/* requests: [{}] */
// Writable and transform streams, pipes, the identity and fixed-length ones.

const utf8 = (text) => new TextEncoder().encode(text);
const collect = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part instanceof Uint8Array ? new TextDecoder().decode(part) : part);
  return parts;
};
const settled = async (...promises) =>
  (await Promise.allSettled(promises)).map((one) => one.value ?? (one.reason ? [one.reason.name, one.reason.message] : "done"));
const values = (...items) => new ReadableStream({ start(c) { items.forEach((item) => c.enqueue(item)); c.close(); } });

const probes = {
  "identity by default": () => collect(values(1, 2).pipeThrough(new TransformStream())),
  "transform and flush": () => collect(values(1, 2).pipeThrough(new TransformStream({
    transform(chunk, c) { c.enqueue(chunk * 10); c.enqueue(chunk * 10 + 1); },
    flush(c) { c.enqueue("end"); },
  }))),
  "transform throws": () => collect(values(1).pipeThrough(new TransformStream({ transform() { throw new RangeError("no"); } }))),
  "terminate": () => collect(values(1, 2, 3).pipeThrough(new TransformStream({ transform(chunk, c) { c.enqueue(chunk); c.terminate(); } }))),
  "written order": async () => {
    const seen = [];
    const stream = new WritableStream({ start() { seen.push("start"); }, write(chunk) { seen.push(chunk); }, close() { seen.push("close"); } });
    const writer = stream.getWriter();
    writer.write("a");
    writer.write("b");
    await writer.close();
    return seen;
  },
  "abort tells the sink": async () => {
    const seen = [];
    const writer = new WritableStream({ abort(reason) { seen.push(String(reason)); } }).getWriter();
    await writer.abort(new Error("enough"));
    await writer.write("a").catch((error) => seen.push(error.name, error.message));
    return seen;
  },
  "write fails": async () => {
    const writer = new WritableStream({ write() { throw new RangeError("full"); } }).getWriter();
    const seen = [];
    await writer.write("a").catch((error) => seen.push(error.message));
    await writer.write("b").catch((error) => seen.push(error.message));
    await writer.closed.catch((error) => seen.push(error.message));
    return seen;
  },
  "write after close": async () => {
    const writer = new WritableStream().getWriter();
    await writer.close();
    return writer.write("a");
  },
  "two writers": () => {
    const stream = new WritableStream();
    stream.getWriter();
    stream.getWriter();
  },
  "desiredSize and ready": async () => {
    const writer = new WritableStream({}, { highWaterMark: 2 }).getWriter();
    const before = writer.desiredSize;
    writer.write("a");
    return [before, writer.desiredSize, (await writer.ready) ?? "undefined"];
  },
  "pipeTo": async () => {
    const seen = [];
    const result = await values(1, 2).pipeTo(new WritableStream({ write(chunk) { seen.push(chunk); }, close() { seen.push("close"); } }));
    return [seen, result ?? "undefined"];
  },
  "pipeTo with preventClose": async () => {
    const seen = [];
    const target = new WritableStream({ write(chunk) { seen.push(chunk); }, close() { seen.push("close"); } });
    await values(1).pipeTo(target, { preventClose: true });
    await target.getWriter().close();
    return seen;
  },
  "pipeTo from a failing source": async () => {
    const seen = [];
    const target = new WritableStream({ abort(reason) { seen.push(reason.message); } });
    await new ReadableStream({ start(c) { c.error(new Error("source")); } }).pipeTo(target).catch((error) => seen.push(error.message));
    return seen;
  },
  "pipeTo to a failing sink": async () => {
    const seen = [];
    const source = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(reason) { seen.push(reason.message); } });
    await source.pipeTo(new WritableStream({ write() { throw new Error("sink"); } })).catch((error) => seen.push(error.message));
    return seen;
  },
  "pipeTo with an aborted signal": async () => {
    const source = new ReadableStream();
    await source.pipeTo(new WritableStream(), { signal: AbortSignal.abort(new Error("stopped")) });
  },
  "pipeThrough something else": () => values(1).pipeThrough({}),
  "pipe of a locked stream": () => {
    const stream = values(1);
    stream.getReader();
    return stream.pipeTo(new WritableStream());
  },
  "IdentityTransformStream": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    writer.write(utf8("ab"));
    writer.close();
    return collect(readable);
  },
  "IdentityTransformStream, a string": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    return settled(collect(readable), writer.write("text"), writer.close());
  },
  "IdentityTransformStream, a number": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    collect(readable).catch(() => {});
    return writer.write(7);
  },
  "IdentityTransformStream takes buffers": async () => {
    const { readable, writable } = new IdentityTransformStream();
    const writer = writable.getWriter();
    writer.write(utf8("ab").buffer);
    writer.close();
    return collect(readable);
  },
  "FixedLengthStream": async () => {
    const { readable, writable } = new FixedLengthStream(2);
    const writer = writable.getWriter();
    writer.write(utf8("ab"));
    writer.close();
    return collect(readable);
  },
  "FixedLengthStream, too much": async () => {
    const { readable, writable } = new FixedLengthStream(2);
    const reader = readable.getReader();
    return settled(writable.getWriter().write(utf8("abc")), reader.read());
  },
  "FixedLengthStream, too little": async () => {
    const { readable, writable } = new FixedLengthStream(3);
    const writer = writable.getWriter();
    const reader = readable.getReader();
    return settled(reader.read().then(({ value }) => value.length), writer.write(utf8("ab")), writer.close());
  },
  "FixedLengthStream of nothing": async () => {
    const { readable, writable } = new FixedLengthStream(0);
    return settled(collect(readable), writable.close());
  },
  "FixedLengthStream, odd lengths": () => [-1, 1.5, "3", NaN].map((length) => {
    try {
      return new FixedLengthStream(length) && "taken";
    } catch (error) {
      return [error.name, error.message];
    }
  }),
  "instances": () => [new IdentityTransformStream() instanceof TransformStream, new FixedLengthStream(1) instanceof IdentityTransformStream],
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
