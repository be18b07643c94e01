import { expect, test } from "vitest";
import { parseListeners } from "./taken-ports.ts";

const TCP = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000000000000000 100 0 0 10 0
   1: 0100007F:A001 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 20 4 30 10 -1
   2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4713 1 0000000000000000 100 0 0 10 0
`;

test("listening sockets are read from the kernel's list, connections are not", () => {
  expect(parseListeners(TCP, { protocol: "tcp", state: "0A" })).toEqual([
    { port: 8080, protocol: "tcp", inode: "4711" },
    { port: 80, protocol: "tcp", inode: "4713" },
  ]);
});

test.for(["", "no list\n", "head\n  0: xx\n", "head\n 0: 0100007F:zz 0 0A\n", "head\n 0: 0:0000 0 0A\n"])(
  "what is no socket is passed over: %j",
  (text) => {
    expect(parseListeners(text, { protocol: "tcp", state: "0A" })).toEqual([]);
  },
);
