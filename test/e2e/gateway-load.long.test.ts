/** 1,000 messages over 50 conversations through `api_server`, with a worker hook and a shell observer on every turn. */
import test from "node:test";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home } from "../helpers/hermes.ts";

const SESSIONS = 50;
const ROUNDS = 20;

test("no message is lost, none twice, order is kept per conversation, memory stays flat", async (t) => {
  const home = new Home(t);
  const [started, observed] = [join(home.path, "started.txt"), join(home.path, "observed.txt")];
  home.write("hooks/count/HOOK.yaml", 'name: count\nevents: ["agent:start"]\n');
  home.write(
    "hooks/count/handler.ts",
    `import { appendFileSync } from "node:fs";
     export const handle = (_event: string, { user_id, message }: { user_id: string; message: string }) =>
       appendFileSync(${JSON.stringify(started)}, user_id + " " + message + "\\n");`,
  );
  const observer = home.script("observe.sh", `cat > /dev/null; echo x >> ${observed}\n`);
  home.write("config.yaml", `${API_SERVER}hooks: { on_session_end: [ { command: ${observer} } ] }\n`);
  const gateway = await startGateway(t, home, { args: ["--accept-hooks"] });

  const resident: number[] = [];
  const answers = new Map<string, string[]>();
  for (let round = 0; round < ROUNDS; round++) {
    await Promise.all(
      Array.from({ length: SESSIONS }, async (_, session) => {
        const name = `person-${session}`;
        const { status, text } = await gateway.say(`word-${round}`, name);
        assert.equal(status, 200);
        answers.set(name, [...(answers.get(name) ?? []), text]);
      }),
    );
    resident.push(residentMegabytes(gateway.pid));
  }

  for (const [name, texts] of answers) {
    assert.deepEqual(
      texts.map((text) => /word-(\d+)/.exec(text)?.[1]),
      Array.from({ length: ROUNDS }, (_, round) => String(round)),
      name,
    );
  }
  const total = SESSIONS * ROUNDS;
  const lines = await until(() => {
    const found = readFileSync(started, "utf8").trim().split("\n");
    return found.length >= total ? found : null;
  }, "the worker hook saw every message");
  assert.equal(new Set(lines).size, total);
  assert.equal(lines.length, total);
  for (let session = 0; session < SESSIONS; session++) {
    const own = lines.filter((line) => line.startsWith(`person-${session} `));
    assert.deepEqual(
      own.map((line) => line.split("word-")[1]),
      Array.from({ length: ROUNDS }, (_, round) => String(round)),
    );
  }
  assert.equal(readFileSync(observed, "utf8").trim().split("\n").length, total);

  t.diagnostic(`resident MB after each 50 messages: ${resident.map((megabytes) => megabytes.toFixed(0)).join(" ")}`);
  const at200 = Math.max(...resident.slice(2, 6));
  const at1000 = Math.min(...resident.slice(-4));
  assert.ok(at1000 < at200 * 1.25, `resident memory grew from ${at200} to ${at1000} MB`);
});

function residentMegabytes(pid: number): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1024;
}
