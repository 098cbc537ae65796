/** What becomes of an answer when the gateway is killed before its platform took it. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import test, { type TestContext } from "node:test";
import { ROOT } from "../helpers/hermes.ts";

const FIXTURE = join(ROOT, "test/fixtures/gateway/answers-once.ts");
const AGAIN = "(sent again; you may have it already)\n";

interface Child {
  /** Resolves with the text of the first line of this kind. */
  sees(kind: string): Promise<string>;
  /** The texts of the lines of this kind so far. */
  all(kind: string): readonly string[];
  end(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
}

function start(t: TestContext, ...args: readonly string[]): Child {
  const child = spawn(process.execPath, [FIXTURE, ...args], { stdio: ["ignore", "pipe", "inherit"] });
  t.after(() => child.kill("SIGKILL"));
  const lines: [string, string][] = [];
  const watchers = new Set<() => void>();
  createInterface(child.stdout).on("line", (line) => {
    lines.push(JSON.parse(line) as [string, string]);
    for (const check of watchers) check();
  });
  const all = (kind: string) => lines.filter(([one]) => one === kind).map(([, text]) => text);
  return {
    all,
    sees: (kind) =>
      new Promise((found) => {
        const check = () => {
          const [text] = all(kind);
          if (text === undefined) return;
          watchers.delete(check);
          found(text);
        };
        watchers.add(check);
        check();
      }),
    async end(signal) {
      const closed = once(child, "close");
      child.kill(signal);
      await closed;
    },
  };
}

function stateFile(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "hermes-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return join(folder, "state.db");
}

test("killed while it sends: the answer is sent once more, marked, and never again", async (t) => {
  const file = stateFile(t);
  const first = start(t, file, "hangs", "hello");
  const answer = await first.sees("sending");
  assert.match(answer, /^hello/);
  await first.end("SIGKILL");

  const second = start(t, file, "takes");
  assert.equal(await second.sees("sent"), `${AGAIN}${answer}`);
  await second.end("SIGTERM");

  const third = start(t, file, "takes");
  await third.sees("started");
  await third.end("SIGTERM");
  assert.deepEqual(third.all("sending"), []);
});

test("killed while it sends once more: it is given up, and that is logged", async (t) => {
  const file = stateFile(t);
  for (const message of [["hello"], []]) {
    const child = start(t, file, "hangs", ...message);
    await child.sees("sending");
    await child.end("SIGKILL");
  }
  const third = start(t, file, "takes");
  assert.equal(await third.sees("error"), "a text was given up");
  await third.end("SIGTERM");
  assert.deepEqual(third.all("sending"), []);
});

test("killed while a hook looks at the complete answer: the answer is not lost", async (t) => {
  const file = stateFile(t);
  const first = start(t, file, "late", "hello");
  await first.sees("hanging");
  await first.end("SIGKILL");
  assert.deepEqual(first.all("sending"), []);
  const second = start(t, file, "takes");
  assert.match(await second.sees("sent"), /^\(sent again; you may have it already\)\nhello/);
  await second.end("SIGTERM");
});

test("killed between writing and sending: the answer is not lost", async (t) => {
  const file = stateFile(t);
  const first = start(t, file, "down", "a report");
  await first.sees("started");
  await first.end("SIGKILL");
  assert.deepEqual(first.all("sending"), []);
  const second = start(t, file, "takes");
  assert.equal(await second.sees("sent"), `${AGAIN}a report`);
  await second.end("SIGTERM");
  const third = start(t, file, "takes");
  await third.sees("started");
  await third.end("SIGTERM");
  assert.deepEqual(third.all("sending"), []);
});

test("what was sent is not sent again", async (t) => {
  const file = stateFile(t);
  const first = start(t, file, "takes", "hello");
  await first.sees("sent");
  await first.end("SIGTERM");
  const second = start(t, file, "takes");
  await second.sees("started");
  await second.end("SIGTERM");
  assert.deepEqual(second.all("sending"), []);
});
