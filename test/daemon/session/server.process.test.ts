/** The socket of a session that stays, with clients that do not do their part. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createConnection } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { DaemonClient } from "#daemon/session/client";
import { SessionServer, type Client } from "#daemon/session/server";
import { until } from "../../helpers/poll.ts";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

test("a client that does not read is dropped, and others get every frame", async (t) => {
  const path = join(temporaryFolder(t), "s.sock");
  const attached: Client[] = [];
  const server = await SessionServer.listen(path, async (_request, client) => {
    attached.push(client);
    client.answer({ type: "attached", session_id: "s" });
  });
  t.after(() => server.close());
  const stuck = createConnection(path);
  stuck.on("error", () => undefined).pause();
  stuck.write('{"type":"attach"}\n');
  await until(() => attached.length === 1, "it is attached");
  using reader = await DaemonClient.connect({ name: "s", socket: path });
  reader.say({ type: "attach" });
  await reader.expect("attached");
  const text = "x".repeat(1024 * 1024);
  for (let number = 0; number < 32; number++) {
    for (const client of attached) {
      client.answer({
        type: "frame",
        frame: { type: "assistant", session_id: "s", content: text, finish_reason: "stop" },
      });
    }
    const { frame } = await reader.expect("frame");
    assert.equal(frame.type, "assistant");
  }
  await until(() => attached[0]!.gone.aborted, "the one that does not read is dropped");
  assert.ok(!attached[1]!.gone.aborted);
  // What was kept for it has an end.
  let bytes = 0;
  stuck.on("data", (chunk: Buffer) => (bytes += chunk.length)).resume();
  if (!stuck.closed) await once(stuck, "close");
  assert.ok(bytes < 20 * text.length, `${bytes} bytes were kept`);
});
