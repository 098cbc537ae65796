/** A receiver of webhooks in a process of its own: `--hang` never answers. Says its port, then how many came, when asked. */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const hangs = process.argv.includes("--hang");
const ids = new Set<unknown>();
let requests = 0;

const server = createServer((request, response) => {
  requests++;
  ids.add(request.headers["webhook-id"]);
  request.resume();
  if (!hangs) request.once("end", () => response.end());
});
server.listen(0, "127.0.0.1", () => process.send?.({ port: (server.address() as AddressInfo).port }));
process.on("message", () => process.send?.({ requests, distinct: ids.size }));
process.on("disconnect", () => process.exit());
