/** Handlers that misbehave in an isolate: each has its own failure, and its next event, and its neighbour, work. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import test, { after, before, suite } from "node:test";
import { until } from "../helpers/poll.ts";
import { OWN, SHARED, UNLOADABLE, type Expected } from "../helpers/hostile-handlers.ts";
import { Isolates, isolateProcesses, type IsolatedHook } from "../helpers/isolates.ts";

const fixtures = resolve(import.meta.dirname, "../fixtures");
const HANDLERS = join(fixtures, "handlers");
const ISOLATED = join(fixtures, "isolated-handlers");

suite("hostile handlers", () => {
  let isolates: Isolates;
  let neighbour: IsolatedHook;
  const cleanUps: (() => unknown)[] = [];

  before(() => {
    isolates = new Isolates({ after: (clean) => void cleanUps.push(clean as () => unknown) });
    neighbour = isolates.open("neighbour", `export const handle = () => ({ message: "here" });`);
  });
  after(async () => {
    for (const clean of cleanUps) await clean();
    await until(() => isolateProcesses().length === 0, "no process is left");
    assert.equal(({} as { polluted?: boolean }).polluted, undefined);
  });

  test("every fixture is listed in a table", () => {
    const shared = { ...SHARED, ...UNLOADABLE };
    assert.deepEqual(Object.keys(shared).toSorted(), readdirSync(HANDLERS).toSorted());
    const files = readdirSync(ISOLATED).filter((file) => file.endsWith(".ts"));
    assert.deepEqual(
      Object.keys(OWN).map((name) => `${name}.ts`),
      files.toSorted(),
    );
  });

  for (const [name, { timeoutSeconds, allow = {}, ...expected }] of Object.entries({ ...SHARED, ...OWN })) {
    test(name, async () => {
      // A busy machine takes its time for an answer; only what never comes must be waited for in full.
      const deadline = timeoutSeconds ?? ("answers" in expected ? 6 : 2);
      const handler = name in SHARED ? join(HANDLERS, name, "handler.ts") : join(ISOLATED, `${name}.ts`);
      const hook = isolates.openFile(handler, { name, allow, timeoutSeconds: deadline });
      await works(hook);
      await misbehaves(hook, expected);
      await works(hook);
      await hook.handler.close();
      assert.equal((await neighbour.run())?.message, "here");
    });
  }

  for (const [name, expected] of Object.entries(UNLOADABLE)) {
    test(name, async () => {
      const hook = isolates.openFile(join(HANDLERS, name, "handler.ts"), { name, timeoutSeconds: 2 });
      await misbehaves(hook, expected);
      // It is tried again at the next event.
      await misbehaves(hook, expected);
      await hook.handler.close();
      assert.equal((await neighbour.run())?.message, "here");
    });
  }
});

async function works(hook: IsolatedHook): Promise<void> {
  assert.match(String((await hook.run())?.message), /^(?:fine|\d+)$/);
}

async function misbehaves(hook: IsolatedHook, expected: Expected): Promise<void> {
  if ("answers" in expected) {
    const answer = await hook.run({ misbehave: true });
    assert.match(String(answer === null ? null : answer.message), expected.answers);
    if (expected.strays === undefined) return;
    await until(() => hook.strays.length > 0, "what it left behind is reported");
    assert.match(hook.strays.join("\n"), expected.strays);
  } else {
    const { code, message } = await hook.fails({ misbehave: true });
    assert.deepEqual([code, expected.because.test(message)], [expected.fails, true], message);
  }
}
