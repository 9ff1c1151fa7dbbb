/* flags: ["enable_global_performance_classes"] */
// Marks and measures, by their flag. Times are the engines' own.
const shown = (entry) => [entry.constructor.name, entry.name, entry.entryType, entry.duration, entry.detail ?? null];

const probes = {
  "mark": () => shown(performance.mark("a", { startTime: 5, detail: { x: 1 } })),
  "measure": () => {
    performance.mark("one", { startTime: 10 });
    performance.mark("two", { startTime: 25 });
    return shown(performance.measure("between", "one", "two"));
  },
  "entries": () => {
    performance.clearMarks();
    performance.clearMeasures();
    performance.mark("one", { startTime: 1 });
    performance.mark("two", { startTime: 2 });
    performance.clearMarks("one");
    return [
      performance.getEntries().map((entry) => entry.name),
      performance.getEntriesByType("mark").length,
      performance.getEntriesByName("two").length,
    ];
  },
  "instances": () => [performance instanceof Performance, performance instanceof EventTarget],
  "classes": () =>
    ["Performance", "PerformanceEntry", "PerformanceMark", "PerformanceMeasure", "PerformanceObserver"]
      .map((name) => typeof globalThis[name]),
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
