/* requests: [{}] */
// ReadableStream: sources, back-pressure, cancel, errors, tee, iteration, from.

const collect = async (stream) => {
  const parts = [];
  for await (const part of stream) parts.push(part);
  return parts;
};

const controllerOf = async (source) => {
  let controller;
  new ReadableStream({ ...source, start(c) { controller = c; } });
  return controller;
};

const probes = {
  "start and close": () => collect(new ReadableStream({ start(c) { c.enqueue(1); c.enqueue("b"); c.enqueue(null); c.close(); } })),
  "pull is called on demand": async () => {
    let pulls = 0;
    const reader = new ReadableStream({ pull(c) { c.enqueue(++pulls); } }, { highWaterMark: 0 }).getReader();
    const before = pulls;
    const values = [(await reader.read()).value, (await reader.read()).value];
    return [before, values, pulls];
  },
  "pull fills the queue": async () => {
    let pulls = 0;
    new ReadableStream({ pull(c) { c.enqueue(++pulls); } }, { highWaterMark: 3 });
    await scheduler.wait(1);
    return pulls;
  },
  "desiredSize": () => {
    const seen = [];
    new ReadableStream({ start(c) { seen.push(c.desiredSize); c.enqueue(1); seen.push(c.desiredSize); c.close(); seen.push(c.desiredSize); } }, { highWaterMark: 2 });
    return seen;
  },
  "size": () => {
    const seen = [];
    new ReadableStream({ start(c) { c.enqueue("abc"); seen.push(c.desiredSize); } }, { highWaterMark: 10, size: (chunk) => chunk.length });
    return seen;
  },
  "strategies": () => [new CountQueuingStrategy({ highWaterMark: 2 }).size("abc"), new ByteLengthQueuingStrategy({ highWaterMark: 2 }).size(new Uint8Array(3))],
  "cancel tells the source": async () => {
    const seen = [];
    const stream = new ReadableStream({ cancel(reason) { seen.push(reason); } });
    const result = await stream.cancel("enough");
    return [seen, result ?? "undefined"];
  },
  "leaving a loop cancels": async () => {
    const seen = [];
    const stream = new ReadableStream({ pull(c) { c.enqueue(1); }, cancel(reason) { seen.push("cancelled", reason ?? "undefined"); } });
    for await (const _ of stream) break;
    return [seen, stream.locked];
  },
  "preventCancel": async () => {
    const stream = new ReadableStream({ pull(c) { c.enqueue(1); } });
    for await (const _ of stream.values({ preventCancel: true })) break;
    return (await stream.getReader().read()).value;
  },
  "error": () => collect(new ReadableStream({ start(c) { c.error(new RangeError("broken")); } })),
  "error with a value": async () => {
    try {
      await collect(new ReadableStream({ start(c) { c.error("just text"); } }));
    } catch (error) {
      return error;
    }
  },
  "error drops what is queued": async () => {
    let controller;
    const stream = new ReadableStream({ start(c) { controller = c; c.enqueue(1); } });
    controller.error(new Error("late"));
    return collect(stream);
  },
  "start throws": () => new ReadableStream({ start() { throw new RangeError("at once"); } }).locked,
  "pull throws": () => collect(new ReadableStream({ pull() { throw new RangeError("in pull"); } })),
  "pull rejects": () => collect(new ReadableStream({ async pull() { throw new RangeError("in pull"); } })),
  "start throws: reading": () => collect(new ReadableStream({ start() { throw new RangeError("at once"); } })),
  "enqueue after close": () => controllerOf({}).then((c) => { c.close(); c.enqueue(1); }),
  "close twice": () => controllerOf({}).then((c) => { c.close(); c.close(); }),
  "error after close": () => controllerOf({}).then((c) => { c.close(); c.error(new Error("late")); return "ignored"; }),
  "locked": () => {
    const stream = new ReadableStream();
    const reader = stream.getReader();
    const locked = stream.locked;
    reader.releaseLock();
    return [locked, stream.locked];
  },
  "two readers": () => {
    const stream = new ReadableStream();
    stream.getReader();
    stream.getReader();
  },
  "cancel while locked": () => {
    const stream = new ReadableStream();
    stream.getReader();
    return stream.cancel();
  },
  "read after release": () => {
    const reader = new ReadableStream().getReader();
    reader.releaseLock();
    return reader.read();
  },
  "pending read at release": async () => {
    const reader = new ReadableStream().getReader();
    const read = reader.read();
    reader.releaseLock();
    return read;
  },
  "closed": async () => {
    const reader = new ReadableStream({ start(c) { c.close(); } }).getReader();
    return [(await reader.closed) ?? "undefined", await reader.read()];
  },
  "tee": async () => {
    const [left, right] = new ReadableStream({ start(c) { c.enqueue(1); c.enqueue(2); c.close(); } }).tee();
    return [await collect(left), await collect(right)];
  },
  "tee: cancelling both cancels the source": async () => {
    const seen = [];
    const [left, right] = new ReadableStream({ cancel(reason) { seen.push(reason); } }).tee();
    await Promise.all([left.cancel("l"), right.cancel("r")]);
    return seen;
  },
  "tee of a locked stream": () => {
    const stream = new ReadableStream();
    stream.getReader();
    return stream.tee();
  },
  "pipe with a signal that has fired": async () => {
    let sink;
    const source = new ReadableStream({});
    const target = new WritableStream({ start(controller) { sink = controller; } });
    await Promise.resolve();
    const seen = [];
    sink.signal.addEventListener("abort", () => {
      seen.push(source.locked);
      source.pipeTo(new WritableStream({})).catch(() => {});
    });
    const signal = AbortSignal.abort(new Error("given up"));
    const error = await source.pipeTo(target, { signal, preventCancel: true }).catch((error) => error.message);
    return [error, seen, source.locked];
  },
  "pipe that is given up, where both sides fail": async () => {
    const source = new ReadableStream({ cancel() { throw new Error("source"); } });
    const target = new WritableStream({ abort() { throw new Error("sink"); } });
    const signal = AbortSignal.abort(new Error("given up"));
    return await source.pipeTo(target, { signal }).catch((error) => error.message);
  },
  "from an array": () => collect(ReadableStream.from([1, 2, 3])),
  "from an async generator": () => collect(ReadableStream.from((async function* () { yield "a"; yield "b"; })())),
  "from a string": () => collect(ReadableStream.from("ab")),
  "from a number": () => ReadableStream.from(1),
  "type unknown": () => new ReadableStream({ type: "sideways" }),
  "reader on something else": () => new ReadableStreamDefaultReader({}),
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
