// Two subscribers of one channel, each with its own WebSocket, and the messages that each has received.

const SUBSCRIBERS = 2;

export class Broadcast {
  /** @type {WebSocket[]} */
  #sockets = [];
  /** @type {Set<string>[]} */
  got = []; // messages, by subscriber

  // Resolves once all are subscribed; throws an Error, perhaps without a message, if one is not.
  /** @type {(channel: string, changed: () => void) => Promise<unknown>} */
  open(channel, changed) {
    this.close();
    this.got = Array.from({ length: SUBSCRIBERS }, () => new Set());
    const address = new URL(`feed?${new URLSearchParams({ channel })}`, document.baseURI.replace("http", "ws"));
    this.#sockets = this.got.map(() => new WebSocket(address));
    return Promise.all(this.#sockets.map((socket, at) => this.#listen(socket, this.got[at], changed)));
  }

  close() {
    for (const socket of this.#sockets.splice(0)) socket.close();
  }

  /** @type {(socket: WebSocket, got: Set<string>, changed: () => void) => Promise<void>} */
  #listen(socket, got, changed) {
    return new Promise((resolve, reject) => {
      socket.addEventListener("message", ({ data }) => {
        /** @type {FeedEvent[]} */
        const events = JSON.parse(data);
        for (const event of events) {
          if (event.type === "subscribe") resolve();
          if (event.type === "refused") reject(new Error(event.error));
          if (event.type === "message") got.add(event.data);
        }
        changed();
      });
      socket.addEventListener("close", () => reject(new Error("")));
    });
  }
}
