// One tenant's worker. Its count shows whether a later request met the same
// isolate (2) or a new one (1), so that "idle and alive" is checked, not assumed.
let requests = 0;

export default {
  fetch() {
    requests += 1;
    return new Response(`${NAME} ${requests}\n`);
  },
};
