// A tail worker that is of no use, which nobody else notices.
export default {
  tailStream() {
    throw new Error("of no use");
  },
};
