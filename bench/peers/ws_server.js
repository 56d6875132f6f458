// ws on Node, two processes that share the port; one Redis subscriber a process.
import cluster from "node:cluster";
import { createServer } from "node:http";
import { Redis } from "ioredis";
import { WebSocket, WebSocketServer } from "ws";

const PROCESSES = 2;

if (cluster.isPrimary) {
  for (let i = 0; i < PROCESSES; i++) cluster.fork();
} else {
  const server = createServer();
  const wss = new WebSocketServer({ server, perMessageDeflate: false });
  wss.on("connection", (socket) => socket.send("ready"));
  const redis = new Redis(process.env.REDIS_URL);
  redis.on("message", (channel, message) => {
    for (const client of wss.clients) if (client.readyState === WebSocket.OPEN) client.send(message);
  });
  await redis.subscribe("bench");
  server.listen({ port: Number(process.env.PORT), host: "127.0.0.1", backlog: 4096 });
}
