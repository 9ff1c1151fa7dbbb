// A small API call: parse a JSON body, change it, answer with JSON.
export default {
  async fetch(request) {
    const order = await request.json();
    order.total = 0;
    for (const item of order.items) {
      item.amount = item.price * item.quantity;
      order.total += item.amount;
    }
    order.seen = true;
    return Response.json(order);
  },
};
