// The smallest useful answer: what a request costs before any work is done.
export default {
  fetch() {
    return new Response("Hello, world!\n");
  },
};
