/* flags: ["nodejs_compat"] */
// Timers of Node's, which are the global ones: a delay longer than any does not fire at once.
import { setTimeout as later } from "node:timers";

const first = (...timers) => new Promise((resolve) => {
  for (const [set, delay] of timers) set(() => resolve(delay), delay);
});

export default {
  async fetch() {
    return Response.json([
      await first([later, 2 ** 63], [later, -100]),
      await first([later, Infinity], [later, 1]),
      await first([setTimeout, 2 ** 40], [setTimeout, 1]),
    ]);
  },
};
