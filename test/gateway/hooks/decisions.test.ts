/** What a handler of a command may answer: one reader for `ctx.on` and for gateway hooks, and one report of mistakes. */
import assert from "node:assert/strict";
import test from "node:test";
import { announceCommand } from "#core/command-events";
import type { HookRun } from "#core/ports/hook";
import { HookRegistry } from "#core/registry";
import { HookQueue, type QueueIdentity } from "#gateway/hooks/queue";
import { makeGatewayHook } from "../../helpers/gateway-hook.ts";

const HOOK = makeGatewayHook("guard", { events: ["command:*"], timeoutSeconds: 60 });

const COMMAND = { name: "model", args: "small" };

/** The decision that a plugin's handler comes to, and what is said of it. */
async function throughPlugin(answer: unknown) {
  const reports: string[] = [];
  const registry = new HookRegistry((sentence) => void reports.push(sentence));
  registry.register("command:*", () => answer, { name: "guard" });
  const decision = await announceCommand(registry, COMMAND, { platform: "cli" });
  return { decision, problem: reports.join() || null };
}

/** The same through the queue of a gateway hook. */
async function throughHook(answer: unknown) {
  const runs: HookRun[] = [];
  const reports: string[] = [];
  const registry = new HookRegistry((sentence) => void reports.push(sentence));
  const identity: QueueIdentity = { source: "worker", name: "guard", event: "command:*", command: null, dropped: 0 };
  const queue = new HookQueue({
    hook: HOOK,
    open: async () => ({ run: async () => answer, close: async () => undefined }),
    record: (run) => void runs.push(run),
    onDrop: () => undefined,
  });
  registry.register("command:*", (event, context) => queue.publish(identity, event, context), { name: "guard" });
  const decision = await announceCommand(registry, COMMAND, { platform: "cli" });
  await queue.idle();
  assert.deepEqual(reports, []);
  const failed = runs.filter(({ outcome }) => outcome === "error");
  return { decision, problem: failed.map(({ detail }) => detail).join() || null };
}

const RUN = { kind: "run", ...COMMAND };

const DECISIONS: readonly (readonly [answer: unknown, decision: unknown])[] = [
  [
    { decision: "deny", message: "Not here." },
    { kind: "denied", message: "Not here." },
  ],
  [{ decision: "deny" }, { kind: "denied", message: "The command was denied by a hook." }],
  [
    { decision: "deny", message: 7 },
    { kind: "denied", message: "The command was denied by a hook." },
  ],
  [{ decision: "handled" }, { kind: "handled", message: "" }],
  [
    { decision: "handled", message: "Done." },
    { kind: "handled", message: "Done." },
  ],
  [
    { decision: "rewrite", command_name: "/Help", raw_args: "all" },
    { kind: "run", name: "help", args: "all" },
  ],
  [
    { decision: "rewrite", command_name: "help" },
    { kind: "run", name: "help", args: "" },
  ],
  [undefined, RUN],
  [null, RUN],
  ["deny", RUN],
  [{ message: "only watched" }, RUN],
  [{ decision: null }, RUN],
];

const MISTAKES: readonly (readonly [answer: unknown, problem: string])[] = [
  [{ decision: "denyy" }, 'unknown decision "denyy"; use deny, handled or rewrite'],
  [{ decision: "block", message: "no" }, 'unknown decision "block"; use deny, handled or rewrite'],
  [{ decision: true }, "unknown decision true; use deny, handled or rewrite"],
  [{ decision: "rewrite" }, 'its decision "rewrite" needs a string "command_name"'],
];

for (const [answer, decision] of DECISIONS) {
  test(`a plugin's handler and a gateway hook decide the same with ${JSON.stringify(answer)}`, async () => {
    assert.deepEqual(await throughPlugin(answer), { decision, problem: null });
    assert.deepEqual(await throughHook(answer), { decision, problem: null });
  });
}

for (const [answer, problem] of MISTAKES) {
  test(`a plugin's handler and a gateway hook fail the same with ${JSON.stringify(answer)}`, async () => {
    const failed = `"guard" failed at command:model: ${problem}`;
    assert.deepEqual(await throughPlugin(answer), { decision: RUN, problem: `handler ${failed}` });
    assert.deepEqual(await throughHook(answer), { decision: RUN, problem: `gateway hook ${failed}` });
  });
}

test("a wrong decision does not keep a later handler from deciding", async () => {
  const registry = new HookRegistry(() => undefined);
  registry.register("command:model", () => ({ decision: "denyy" }), { name: "wrong" });
  registry.register("command:model", () => ({ decision: "deny", message: "no" }), { name: "right" });
  assert.deepEqual(await announceCommand(registry, COMMAND, {}), { kind: "denied", message: "no" });
});
