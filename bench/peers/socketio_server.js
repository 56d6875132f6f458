// socket.io on Node, two processes that share the port (WebSocket only, so no sticky sessions
// are needed); each has a Redis subscriber and sends to its own sockets.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const PROCESSES = 2;

if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
} else {
  const server = createServer();
  const io = new Server(server, { transports: ["websocket"], serveClient: false });
  const redis = new Redis(process.env.REDIS_URL);
  redis.on("message", (channel, message) => io.local.emit("message", message));
  await redis.subscribe("bench");
  server.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
}
