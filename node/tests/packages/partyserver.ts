// partyserver with hibernating connections.
import { routePartykitRequest, Server } from "partyserver";

export class Box extends Server {
  static options = { hibernate: true };

  onConnect(connection) {
    connection.setState({ messages: 0 });
    connection.send(`${connection.id} is in ${this.name}`);
  }

  onMessage(connection, message) {
    connection.setState({ messages: connection.state.messages + 1 });
    this.broadcast(`${connection.id} ${connection.state.messages} ${message}`);
  }

  onRequest() {
    return new Response(`${this.name} has ${[...this.getConnections()].length}`);
  }
}

export default {
  async fetch(request, env) {
    return (await routePartykitRequest(request, env)) ?? new Response("none", { status: 404 });
  },
};
