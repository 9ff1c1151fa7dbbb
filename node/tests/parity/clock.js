/* requests: [{}] */
// Clocks: they pass while waiting, and agree with each other.
// (Whether they stand still while code runs is left open: npm workerd lets them run, the service does not.)

export default {
  async fetch() {
    const start = Date.now();
    const fine = performance.now();
    await scheduler.wait(25);
    const passed = Date.now() - start;
    const finePassed = performance.now() - fine;
    return Response.json({
      moved: passed >= 20 && finePassed >= 20,
      agree: Math.abs(passed - finePassed) < 10,
      whole: Number.isInteger(start),
      recent: start > Date.UTC(2024, 0),
      sameAsNewDate: Math.abs(new Date().getTime() - Date.now()) < 10,
      performance: [typeof fine, fine >= 0, typeof performance.timeOrigin, performance.toString()],
    });
  },
};
