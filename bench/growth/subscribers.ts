import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import type { Log } from "#core/home/log";
import { HookRegistry } from "#core/registry";
import { createDashboard } from "#dashboard/server";
import type { Topic } from "./topic.ts";

const silent: Log = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };

/** Events in one request, as the forwarder batches them. */
const BATCH = 50;

/** In every event once, and nowhere else in the stream. */
const MARK = "@";

/** Opens so many streams in a process of its own; says when all are open, and when all have read a batch. */
const READERS = `
  const [url, token, count, batch, mark] = process.argv.slice(1);
  const headers = { authorization: "Bearer " + token };
  const bodies = [];
  for (let n = 0; n < Number(count); n++) bodies.push((await fetch(url + "/api/events", { headers })).body);
  process.stdout.write("open\\n");
  let [read, goal] = [0, count * batch];
  await Promise.all(bodies.map(async (body) => {
    for await (const chunk of body) {
      for (const byte of chunk) if (byte === mark.charCodeAt(0)) read++;
      if (read < goal) continue;
      goal += count * batch;
      process.stdout.write("read\\n");
    }
  }));
`;

/** Subscribers of the dashboard's event stream, as open pages are. */
export const subscribers: Topic = {
  title: "Subscribers of the event stream",
  input: "subscribers",
  sizes: [0, 1, 4, 16, 32, 64],
  lines: [
    {
      name: `${BATCH} events received and streamed`,
      prepare: async (size, home) => {
        const dashboard = createDashboard({
          host: "127.0.0.1",
          port: 0,
          allowedHosts: [],
          registry: new HookRegistry(),
          database: undefined,
          discovery: join(home, "dashboard.json"),
          run: join(home, "run"),
          log: silent,
          redact: String,
          warn: (sentence) => {
            throw new Error(sentence);
          },
          version: "0.0.0",
        });
        await dashboard.start();
        const { url, token } = dashboard;
        const args = [url, token, String(size), String(BATCH), MARK];
        const child = spawn(process.execPath, ["--input-type=module", "-e", READERS, ...args], {
          stdio: ["ignore", "pipe", "inherit"],
        });
        await once(child.stdout, "data");
        const frame = {
          event_type: "tui:text",
          context: { session_id: "s", delta: MARK.padEnd(200, "x") },
          src: "bench",
        };
        const body = JSON.stringify(Array.from({ length: BATCH }, () => frame));
        const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
        return {
          rounds: 31,
          once: async () => {
            const read = size > 0 ? once(child.stdout, "data") : undefined;
            const response = await fetch(`${url}/api/hooks/ingest`, { method: "POST", headers, body });
            const answer = (await response.json()) as { accepted?: number };
            if (answer.accepted !== BATCH) throw new Error(`the dashboard answered ${JSON.stringify(answer)}`);
            await read;
          },
          [Symbol.asyncDispose]: async () => {
            child.kill("SIGKILL");
            await dashboard.stop();
          },
        };
      },
    },
  ],
};
