/** A daemon that gets more messages than its inbox holds, for a long time. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { isHermesError } from "#core/errors";
import { DaemonClient } from "#daemon/session/client";
import { daemonFiles } from "#daemon/session/place";
import { messagesOf, startDaemon } from "../helpers/daemon.ts";
import { Home } from "../helpers/hermes.ts";

const COUNT = 10_000;
/** When the memory is measured first: the caches are full. */
const WARM = 2000;
const skip = process.platform !== "linux" && "reads /proc";

test(
  "10,000 messages are handled once and in order, a full inbox refuses more, and memory stays flat",
  { skip, timeout: 1_750_000 },
  async (t) => {
    const home = new Home(t);
    // A model's context is never endless: without one the last turns would take 10,000 times as long as the first.
    const daemon = await startDaemon(t, home, { config: { model: { provider: "offline", context_length: 8000 } } });
    const { socket } = daemonFiles(join(home.path, "run"), daemon.name);
    using client = await DaemonClient.connect({ name: daemon.name, socket });
    const megabytes = () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))![1]) / 1024;
    const texts = Array.from({ length: COUNT }, (_, number) => `message ${number}`);
    let refused = 0;
    let warm = 0;
    for (const [number, content] of texts.entries()) {
      while (!(await offer(client, content))) {
        refused++;
        await pause(100);
      }
      if (number === WARM) warm = megabytes();
    }
    assert.ok(refused > 0, "the inbox was full");
    client.say({ type: "send", content: "the last", wait: true });
    await client.expect("stored");
    assert.equal((await client.expect("handled")).problem, null);
    const last = megabytes();
    t.diagnostic(`${Math.round(warm)} MB after ${WARM}, ${Math.round(last)} MB at the end; refused ${refused} times`);
    assert.ok(last < warm * 1.3, `${last} MB, ${warm} MB before`);
    assert.deepEqual(daemon.injected(), [...texts, "the last"]);
    const messages = await messagesOf(home, daemon.name);
    assert.ok(messages.length === COUNT + 1 && messages.every(({ state }) => state === "done"));
  },
);

/** False when the inbox is full. */
async function offer(client: DaemonClient, content: string): Promise<boolean> {
  client.say({ type: "send", content, wait: false });
  try {
    await client.expect("stored");
    return true;
  } catch (error) {
    if (isHermesError(error) && error.code === "HERMES_INBOX_FULL") return false;
    throw error;
  }
}
