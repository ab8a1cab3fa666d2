// One server of the socket.io peer: visitors come to one process, agents to another, and Redis is between them.
//
// The adapter appends each broadcast to its stream with XADD, and every other server reads that stream. A room per
// conversation. Invariant: a visitor's acknowledgement is sent after Redis has answered that XADD, never before.
//
// Run as: node server.js REDIS_URL; prints the port that it listens on.

import { createServer } from "node:http";

import { createAdapter } from "@socket.io/redis-streams-adapter";
import { createClient } from "redis";
import { Server } from "socket.io";

const EVENT = 2; // a packet type of the socket.io protocol

const redis = createClient({ url: process.argv[2] });
await redis.connect();

const http = createServer();
const io = new Server(http, {
  transports: ["websocket"],
  serveClient: false,
  // Our messages hold no binary: the option that its documentation has for that saves a search of each one.
  adapter: createAdapter(redis, { onlyPlaintext: true }),
});

// What `socket.to(room).emit(...)` does, but for its promise: emit() drops it, and it is the one sign that the adapter
// gives of having appended. An XADD of our own beside it would have cost this peer a second one.
function appended(socket, room, message) {
  const packet = { type: EVENT, data: ["message", message] };
  return io.of("/").adapter.broadcast(packet, { rooms: new Set([room]), except: new Set([socket.id]), flags: {} });
}

io.on("connection", (socket) => {
  // The tuning that its documentation advises against memory per session: nobody needs the first HTTP request again.
  delete socket.conn.request;
  const room = socket.handshake.auth.conversation;
  socket.join(room);
  socket.on("message", async (message, ack) => {
    await appended(socket, room, message);
    ack();
  });
});

http.listen(0, "127.0.0.1", () => console.log(http.address().port));
