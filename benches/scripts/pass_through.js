// An upload handed straight back: the body never needs to enter JavaScript.
export default {
  fetch(request) {
    return new Response(request.body, {
      headers: { "content-type": "application/octet-stream" },
    });
  },
};
